//! `seckill`: serves a flash sale, loads it, and judges it.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    seckill::cli::run(seckill::cli::Cli::parse())
}
