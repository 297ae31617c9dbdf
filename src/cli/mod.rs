//! The command line: arguments and one short file for each subcommand, which parses, calls, prints
//! and sets the exit code.

#![allow(clippy::print_stdout, clippy::print_stderr)] // The console prints.

mod args;
mod bench;
mod bench_config;
mod console;
mod dispatch;
mod docs;
mod failure;
mod github;
mod lab;
mod limits;
mod recorded;
mod report_files;
mod self_test;
mod serve;
mod signals;

pub use args::Cli;
use console::{print, say};
pub use dispatch::run;
pub use failure::Failure;
