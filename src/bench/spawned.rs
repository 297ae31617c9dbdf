//! A server of the bench's own: started on a free port in a temporary folder, stopped on every
//! way out.
//!
//! It is in a process group of its own, so that Ctrl-C reaches only the bench; it ends when its
//! stdin is closed, so that not even `kill -9` of the bench leaves it behind.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::ids::RequestId;
use crate::profile::ServeFlags;
use crate::secret::Secret;

/// The environment variable with which the bench tells the server that it spawned to end when its
/// stdin is closed, and which temporary folder to remove then.
pub const SPAWNED: &str = "SECKILL_SPAWNED";

/// How long a server may take until it listens: it may have a journal to replay.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long it may take to shut down: longer than its own deadlines together.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);

/// Longest first line of a server, in bytes.
const LINE_LEN_MAX: u64 = 256;

/// Lines of a dead server's log that are shown.
const LOG_LINES_SHOWN: usize = 20;

/// A running server.
#[derive(Debug)]
pub(super) struct Spawned {
    // In this order, so that the folder goes after the process.
    child: Child,
    /// Held open: the server ends when it is closed. Apart from `child`, which would close it
    /// before waiting.
    _stdin: Option<ChildStdin>,
    pub(super) url: String,
    pub(super) admin_token: Secret,
    log: PathBuf,
    _folder: TempDir,
}

impl Spawned {
    /// Starts `seckill serve` with these flags and waits until it listens.
    pub(super) async fn start(mut flags: ServeFlags) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("seckill-").tempdir();
        let folder = folder.context("cannot make a temporary folder for the spawned server")?;
        let log = folder.path().join("server.log");
        flags.data.get_or_insert_with(|| folder.path().join("data"));
        flags.listen.get_or_insert_with(|| "127.0.0.1:0".into());
        flags.log.get_or_insert_with(|| "warn".into());
        let made = || Secret(RequestId::random().to_string());
        let admin_token = flags.admin_token.get_or_insert_with(made).clone();
        let mut command = Command::new(std::env::current_exe()?);
        let ours = std::env::vars_os()
            .filter(|(name, _)| name.to_str().is_some_and(|name| name.starts_with("SECKILL_")));
        ours.for_each(|(name, _)| {
            command.env_remove(name);
        });
        let mut child = command
            .arg("serve")
            .env(SPAWNED, folder.path())
            .envs(environment(&flags)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the server")?;
        let stdout = child.stdout.take().ok_or_else(|| anyhow!("the server has no stdout"))?;
        let mut line = String::new();
        let mut first_line = BufReader::new(stdout.take(LINE_LEN_MAX));
        let read = timeout(START_TIMEOUT, first_line.read_line(&mut line)).await;
        let _stdin = child.stdin.take();
        let mut spawned =
            Self { child, _stdin, url: String::new(), admin_token, log, _folder: folder };
        match line.trim().strip_prefix("listening on ") {
            Some(url) => spawned.url = url.to_owned(),
            None if read.is_err() => bail!("the spawned server did not listen in time"),
            None => {
                let _ = timeout(STOP_TIMEOUT, spawned.child.wait()).await;
                bail!("the spawned server did not start: {}", spawned.last_words());
            }
        }
        Ok(spawned)
    }

    /// Its process.
    pub(super) fn pid(&self) -> Option<i32> {
        self.child.id().and_then(|pid| i32::try_from(pid).ok())
    }

    /// Resolves when it has ended by itself.
    pub(super) async fn died(&mut self) {
        // Why is found out by `check_alive`.
        let _ = self.child.wait().await;
    }

    /// An error if it has ended by itself.
    pub(super) fn check_alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the spawned server died ({status}): {}", self.last_words()),
        }
    }

    /// Has it shut down in good order; kills it if it does not.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.check_alive()?;
        if let Some(pid) = self.pid().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).context("cannot stop the spawned server")?;
        }
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(status) if status.as_ref().is_ok_and(std::process::ExitStatus::success) => Ok(()),
            Ok(status) => bail!("the spawned server ended with {}: {}", status?, self.last_words()),
            Err(_) => {
                self.child.kill().await?;
                bail!("the spawned server did not shut down in time and was killed")
            }
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        match lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n") {
            nothing if nothing.is_empty() => "it had logged nothing".to_owned(),
            words => words,
        }
    }
}

/// The flags as environment variables: a command line could be read by every user.
fn environment(flags: &ServeFlags) -> anyhow::Result<Vec<(String, String)>> {
    let Value::Object(flags) = serde_json::to_value(flags)? else {
        bail!("flags are not an object");
    };
    let given = flags.into_iter().filter(|(_, value)| !value.is_null());
    let variables = given.map(|(flag, value)| {
        let name = format!("SECKILL_{}", flag.to_uppercase().replace('-', "_"));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match &value {
            Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(","),
            one => text(one),
        };
        (name, value)
    });
    Ok(variables.collect())
}
