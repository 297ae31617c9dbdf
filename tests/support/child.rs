//! `seckill` as a child process, which is signalled and ended by its own process id.

use std::io::{BufRead, BufReader};
use std::path::{Path, absolute};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

/// Longest wait for a process, far more than any needs.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);

/// The command `seckill`: the program that was built with the tests, or the one that
/// `SECKILL_PROGRAM` names. Variables that would change it are removed, among them those of the CI
/// job in which the tests run.
pub(crate) fn seckill() -> Command {
    let other = std::env::var_os("SECKILL_PROGRAM").map(|path| absolute(path).unwrap());
    let mut command = Command::new(other.unwrap_or(env!("CARGO_BIN_EXE_seckill").into()));
    for (name, _) in std::env::vars_os() {
        let name_text = name.to_string_lossy();
        let is_ours = ["SECKILL_", "GITHUB_"].iter().any(|start| name_text.starts_with(start));
        if is_ours || name_text == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running `seckill serve`; killed when dropped.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// Its stderr is a file: a pipe that nobody drains would fill up and block the server.
    log: NamedTempFile,
}

impl Serving {
    /// Starts a server on a free port and waits until it listens.
    ///
    /// Panics with its stderr if it does not.
    pub(crate) fn start(data: &Path, flags: &[&str]) -> Self {
        Self::start_as(seckill(), data, flags)
    }

    /// Like [`Serving::start`], with a command that has its own environment.
    pub(crate) fn start_as(command: Command, data: &Path, flags: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", command, data, flags)
    }

    /// Like [`Serving::start_as`], on a given address.
    pub(crate) fn start_at(
        address: &str,
        mut command: Command,
        data: &Path,
        flags: &[&str],
    ) -> Self {
        command.env("SECKILL_LOG", "warn").args(["serve", "--listen", address, "--data"]);
        let log = NamedTempFile::new().unwrap();
        command.stderr(log.reopen().unwrap());
        let mut child = command.arg(data).args(flags).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut server = Self { child, url: String::new(), log };
        match line.trim().strip_prefix("listening on ") {
            Some(url) => server.url = url.to_owned(),
            None => panic!("did not start: {}", server.wait().1),
        }
        server
    }

    /// Its stderr so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// Kills the process at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends by itself, and returns its status and stderr.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        (status, self.log())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a process.
pub(crate) fn wait(child: &mut Child) -> ExitStatus {
    let mut status = None;
    eventually("the process ends", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// Polls until the condition holds.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}
