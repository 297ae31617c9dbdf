//! Reports of a run for people and scripts: the terminal's text and progress. It computes no
//! figure.

#![allow(clippy::print_stdout, clippy::print_stderr)] // This module prints the reports.

mod counts;
mod progress;
mod terminal;
mod verdict;

pub use progress::Progress;
pub use terminal::terminal;
pub use verdict::verdict;
