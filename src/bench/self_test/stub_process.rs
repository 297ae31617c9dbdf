//! The stub server in a process of its own, killed at the end.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, anyhow};
use rustix::process::Pid;

use crate::sut::Target;

use super::stub_server::serve;

/// The hidden subcommand that runs the stub server.
pub const STUB_SERVER: &str = "constant-server";

/// A stub server in a process of its own.
#[derive(Debug)]
pub(super) struct StubProcess {
    child: Child,
    pub(super) target: Target,
}

impl StubProcess {
    pub(super) fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(STUB_SERVER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the stub server")?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or_else(|| anyhow!("it has no stdout"))?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let url = line.trim().to_owned();
        let target = read.map_err(anyhow::Error::from).and_then(|_| Ok(Target::new(Some(&url))?));
        match target {
            Ok(target) => Ok(Self { child, target }),
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error.context("the stub server did not start"))
            }
        }
    }

    pub(super) fn pid(&self) -> anyhow::Result<Pid> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        pid.ok_or_else(|| anyhow!("the stub server has no process id"))
    }
}

impl Drop for StubProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the stub server: says through `announce` where it listens, and ends with stdin.
///
/// # Errors
/// When it cannot listen.
pub fn stub_server(announce: impl FnOnce(&str)) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    announce(&format!("http://{}\n", listener.local_addr()?));
    thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    Ok(serve(listener)?)
}
