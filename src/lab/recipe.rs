//! What a service is started with, the same at each of its starts.

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

/// A program with its surroundings, and how to find out whether it is ready.
#[derive(Debug)]
pub(super) struct Recipe {
    /// The service's name in messages.
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// Its whole environment except PATH.
    pub(super) environment: Vec<(&'static str, OsString)>,
    /// The ports that it listens on; `is_ready` gets the first one.
    pub(super) ports: Vec<u16>,
    /// What of its folder is its data.
    pub(super) data: &'static [&'static str],
    /// Whether the service on this port answers in its protocol.
    pub(super) is_ready: fn(u16) -> bool,
    /// How long it may take until it is ready.
    pub(super) start_timeout: Duration,
    /// The signal for an orderly shutdown, or `KILL` where that would take too long.
    pub(super) stop: Signal,
}

impl Recipe {
    /// Adds everything but the program to a command; its output goes to the log.
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

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether a service accepts connections on this port, which is all that some show when they are
/// ready.
pub(super) fn accepts_connections(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok()
}
