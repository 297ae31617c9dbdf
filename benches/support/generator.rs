//! A load in a process of its own.

use std::process::{Command, Stdio};

/// Runs `seckill bench` with these flags against a server, and returns its result.
pub(crate) fn bench(url: &str, flags: &[&str]) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seckill"));
    command.args(["bench", "--target", url, "--no-audit", "--json", "--item", "default"]);
    // The figures are of the server; requests in bursts would change them.
    command.args(["--io", "epoll"]);
    let ran = command.args(flags).stdin(Stdio::null()).output().unwrap();
    serde_json::from_slice(&ran.stdout).unwrap()
}
