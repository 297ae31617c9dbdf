//! How a service is run: the same at every start of it.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
    /// Adds all that the process needs besides the program; its output goes to the log.
    pub(super) fn configure(&self, folder: &Path, log: [File; 2], command: &mut Command) {
        let [stdout, stderr] = log;
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
    }
}
