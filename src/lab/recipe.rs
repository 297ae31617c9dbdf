//! How a service is run: the same at every start of it.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

/// What is run, and how it is known to be ready.
#[derive(Debug)]
pub(super) struct Recipe {
    /// What it is called in messages.
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// All of its environment but PATH.
    pub(super) environment: Vec<(&'static str, OsString)>,
    /// Shell commands that run before it in the same process.
    pub(super) prelude: String,
    /// Where it listens; the first is where it is asked whether it is ready.
    pub(super) ports: Vec<u16>,
    /// Whether the service on this port answers as it should.
    pub(super) is_ready: fn(u16) -> bool,
    /// How long it may take until then.
    pub(super) start_timeout: Duration,
    /// What asks it for an orderly end; `KILL` where that would take too long.
    pub(super) stop: Signal,
}

impl Recipe {
    /// Starts it as the leader of a process group of its own. It does nothing until it gets a line
    /// on its stdin, and ends if that is closed before: so nothing runs that nobody guards.
    pub(super) fn spawn(&self, folder: &Path, log: File) -> io::Result<Child> {
        let prelude = &self.prelude;
        let script = format!("read -r _ || exit 1\n{prelude}\nexec \"$@\" </dev/null");
        Command::new("/bin/sh")
            .args(["-c", &script, self.name])
            .arg(&self.program)
            .args(&self.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
    }
}
