//! A load in a process of its own.

use std::process::{Command, Stdio};

/// The I/O driver of the load where the figures are of the server: requests in bursts, as io_uring
/// sends them, would change them.
pub(crate) const IO: [&str; 2] = ["--io", "epoll"];

/// Runs `seckill bench` with these flags against a server, and returns its result.
pub(crate) fn bench(url: &str, flags: &[&str]) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seckill"));
    command.args(["bench", "--target", url, "--no-audit", "--json", "--item", "default"]);
    let ran = command.args(IO).args(flags).stdin(Stdio::null()).output().unwrap();
    serde_json::from_slice(&ran.stdout).unwrap()
}
