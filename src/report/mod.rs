//! Reports of a run for people and scripts: the terminal's text and progress, a page, test results
//! and a summary. It computes no figure.
//!
//! The markup of files is in `templates/`, which escapes every value that is put into it. What came
//! from outside is made printable and cut before.

#![allow(clippy::print_stdout, clippy::print_stderr)] // This module prints the reports.

mod bar;
mod checks;
mod counts;
mod faults;
mod github;
mod html;
mod junit;
mod not_checked;
mod progress;
mod short;
mod steps;
mod summary;
mod terminal;
mod titled;
mod tone;
mod verdict;
mod words;
mod wrap;

pub use github::{annotations, failure_annotation};
pub use html::{RUNS_MAX, html};
pub use junit::junit;
pub use progress::Progress;
pub use short::short;
pub use summary::summary;
pub use terminal::terminal;
pub use titled::Titled;
pub use verdict::verdict;
