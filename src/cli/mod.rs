//! The command line: arguments and one short file for each subcommand, which parses, calls, prints
//! and sets the exit code.

#![allow(clippy::print_stdout, clippy::print_stderr)] // The console prints.

mod address;
mod advice;
mod args;
mod bench;
mod bench_config;
mod console;
mod dispatch;
mod docs;
mod failure;
mod github;
mod help;
mod lab;
mod lab_command;
mod limits;
mod parse;
mod recorded;
mod report_files;
mod self_test;
mod serve;
mod shop;
mod signals;
mod sources;
mod sut;
mod variables;

use console::{print, say};
pub use dispatch::run;
pub use failure::Failure;
