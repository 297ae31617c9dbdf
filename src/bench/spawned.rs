//! The bench's own server: started on a free port in a temporary folder, stopped on every exit
//! path.
//!
//! It is in its own process group, so that Ctrl-C reaches only the bench; its reaper kills it and
//! removes the folder when the bench is killed, even by `kill -9`.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::ids::RequestId;
use crate::lab::{ChildProcess, Scope, last_lines};
use crate::profile::{ENV_PREFIX, ServeFlags, env_name};
use crate::secret::Secret;

/// Time-out until the server listens: it may have a journal to replay.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Time-out for its shutdown: longer than the sum of its own deadlines.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);

/// How many lines of a dead server's log are shown.
const LOG_LINES_SHOWN: usize = 20;

/// A running server.
#[derive(Debug)]
pub(super) struct Spawned {
    // Fields are dropped in this order, so that the folder is removed after the process has ended.
    process: ChildProcess,
    pub(super) url: String,
    pub(super) admin_token: Secret,
    log: PathBuf,
    _folder: TempDir,
}

impl Spawned {
    /// Starts `seckill serve` with these flags and waits until it listens.
    pub(super) async fn start(flags: ServeFlags) -> anyhow::Result<Self> {
        // If the bench ends during the start, the reaper ends the server.
        tokio::task::spawn_blocking(|| Self::launch(flags)).await?
    }

    fn launch(mut flags: ServeFlags) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("seckill-").tempdir();
        let folder = folder.context("cannot make a temporary folder for the spawned server")?;
        let log = folder.path().join("server.log");
        flags.data.get_or_insert_with(|| folder.path().join("data"));
        flags.listen.get_or_insert_with(|| "127.0.0.1:0".into());
        flags.log.get_or_insert_with(|| "warn".into());
        let random_token = || Secret(RequestId::random().to_string());
        let admin_token = flags.admin_token.get_or_insert_with(random_token).clone();
        let (stderr, variables) = (File::create(&log)?, environment(&flags)?);
        let mut process = ChildProcess::new(Scope::Group, Some(folder.path()))
            .context("cannot start the reaper of the spawned server")?;
        let started = process.start(&std::env::current_exe()?, |command| {
            let inherited = std::env::vars_os().map(|(name, _)| name);
            for name in inherited.filter(|name| name.to_string_lossy().starts_with(ENV_PREFIX)) {
                command.env_remove(name);
            }
            command.arg("serve").envs(variables);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        });
        started.context("cannot start the server")?;
        let line = process.first_line(START_TIMEOUT);
        let mut spawned = Self { process, url: String::new(), admin_token, log, _folder: folder };
        match line {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                bail!("the spawned server did not listen in time")
            }
            line => match line?.strip_prefix("listening on ") {
                Some(url) => spawned.url = url.to_owned(),
                None => {
                    spawned.process.wait_timeout(STOP_TIMEOUT);
                    bail!("the spawned server did not start: {}", spawned.last_log_lines())
                }
            },
        }
        Ok(spawned)
    }

    /// Its process id.
    pub(super) fn pid(&self) -> Option<i32> {
        i32::try_from(self.process.pid()).ok()
    }

    /// Resolves when it has ended unexpectedly.
    pub(super) async fn died(&mut self) {
        // `check_alive` reports the reason.
        let _ = self.process.ended().await;
    }

    /// An error if it has ended unexpectedly.
    pub(super) fn check_alive(&mut self) -> anyhow::Result<()> {
        match self.process.try_status()? {
            None => Ok(()),
            Some(status) => bail!("the spawned server died ({status}): {}", self.last_log_lines()),
        }
    }

    /// Shuts it down gracefully; kills it if it does not end in time.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.check_alive()?;
        self.process.signal(Signal::TERM).context("cannot stop the spawned server")?;
        match timeout(STOP_TIMEOUT, self.process.ended()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(()),
            Ok(status) => {
                bail!("the spawned server ended with {}: {}", status?, self.last_log_lines())
            }
            Err(_) => {
                self.process.kill()?;
                bail!("the spawned server did not shut down in time and was killed")
            }
        }
    }

    fn last_log_lines(&self) -> String {
        last_lines(&self.log, LOG_LINES_SHOWN)
    }
}

/// The flags as environment variables, because every user of the machine can read a command line.
fn environment(flags: &ServeFlags) -> anyhow::Result<Vec<(String, String)>> {
    let Value::Object(flags) = serde_json::to_value(flags)? else {
        bail!("flags are not an object");
    };
    let given = flags.into_iter().filter(|(_, value)| !value.is_null());
    let variables = given.map(|(flag, value)| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match &value {
            Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(","),
            one => text(one),
        };
        (env_name(&flag), value)
    });
    Ok(variables.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_variables() {
        let flags = ServeFlags { listen: Some("[::1]:80".into()), ..ServeFlags::default() };
        let expected = [("SECKILL_LISTEN".to_owned(), "[::1]:80".to_owned())];
        assert_eq!(environment(&flags).unwrap(), expected);
    }
}
