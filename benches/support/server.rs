//! A server in a process of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use procfs::process::Process;
use seckill::lab::{ChildProcess, Scope};

/// Time-out until a server listens.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A server, which is killed when this value is dropped or this process ends.
pub(crate) struct Server {
    pub(crate) process: ChildProcess,
    pub(crate) url: String,
}

impl Server {
    /// Starts a server on the core of this process, and waits until it prints its address.
    pub(crate) fn start(program: &Path, configure: impl FnOnce(&mut Command)) -> Self {
        let mut process = ChildProcess::new(Scope::Group, None).unwrap();
        let started = process.start(program, |command| {
            configure(command.stdin(Stdio::null()).stdout(Stdio::piped()));
        });
        started.unwrap();
        let line = process.first_line(START_TIMEOUT).unwrap();
        Self { process, url: line.strip_prefix("listening on ").unwrap().to_owned() }
    }

    /// Starts `seckill serve` with a sale that does not sell out, and a buyer's limit that is not
    /// reached.
    pub(crate) fn start_endless_sale(data: &Path, flags: &[&str]) -> Self {
        Self::start(env!("CARGO_BIN_EXE_seckill").as_ref(), |command| {
            command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "4000M"]);
            command.args(["--per-buyer", "1M", "--log", "error"]).args(flags);
            command.arg("--data").arg(data);
        })
    }

    /// Memory of the process, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let process = Process::new(self.process.pid() as i32).unwrap();
        process.stat().unwrap().rss * procfs::page_size()
    }
}

/// The buffers of all TCP sockets of this machine, in bytes.
pub(crate) fn kernel_memory() -> u64 {
    let sockets = std::fs::read_to_string("/proc/net/sockstat").unwrap();
    let tcp = sockets.lines().find(|line| line.starts_with("TCP:")).unwrap();
    let pages: u64 = tcp.split(' ').next_back().unwrap().parse().unwrap();
    pages * procfs::page_size()
}
