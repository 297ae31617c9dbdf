//! `seckill`: serves a flash sale, loads it, and judges it.

use std::process::ExitCode;

fn main() -> ExitCode {
    seckill::cli::run(std::env::args_os().collect())
}
