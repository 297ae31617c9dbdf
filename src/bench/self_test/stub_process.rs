//! The stub server in its own process.

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;

use crate::lab::{ChildProcess, Scope};
use crate::sut::Target;

use super::stub_server::serve;

/// The hidden subcommand that runs the stub server.
pub const STUB_SERVER: &str = "stub-server";

/// Time-out until the server listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A stub server in its own process, which is killed when this is dropped.
#[derive(Debug)]
pub(super) struct StubProcess {
    pub(super) process: ChildProcess,
    pub(super) target: Target,
}

impl StubProcess {
    pub(super) fn start() -> anyhow::Result<Self> {
        let mut process = ChildProcess::new(Scope::Group, None)?;
        let program = std::env::current_exe()?;
        let started = process.start(&program, |command| {
            command.arg(STUB_SERVER).stdin(Stdio::null()).stdout(Stdio::piped());
        });
        let url = started.and_then(|()| process.first_line(START_TIMEOUT));
        let target = url.map_err(anyhow::Error::from).and_then(|url| Ok(Target::new(Some(&url))?));
        let target = target.context("the stub server did not start")?;
        Ok(Self { process, target })
    }
}

/// Runs the stub server: passes its address to `announce`, and serves until it is killed.
///
/// # Errors
/// When it cannot listen.
pub fn stub_server(announce: impl FnOnce(&str)) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    announce(&format!("http://{}\n", listener.local_addr()?));
    Ok(serve(listener)?)
}
