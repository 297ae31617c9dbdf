//! Reports of a run for people and scripts: the terminal's text and progress. It computes no
//! figure.

#![allow(clippy::print_stdout, clippy::print_stderr)] // This module prints the reports.

mod bar;
mod counts;
mod progress;
mod short;
mod terminal;
mod verdict;
mod wrap;

pub use progress::Progress;
pub use short::short;
pub use terminal::terminal;
pub use verdict::verdict;
