//! Reports of a run for people and scripts: the terminal's text and progress. Nothing is computed
//! here that a figure depends on.

#![allow(clippy::print_stdout, clippy::print_stderr)] // Output is written here.

mod progress;
mod terminal;

pub use progress::Progress;
pub use terminal::{terminal, verdict_line};
