//! A process of the bench's own server, which a fault may suspend, kill and restart.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Signal;
use tokio::time::{interval, timeout};

use crate::faults::Process;
use crate::lab::{ChildProcess, Scope, SmallDisk, last_lines};
use crate::profile::{ENV_PREFIX, ProcessAction, env_name};
use crate::settings::Nodes;

/// Time-out until the server listens: it may have a journal to replay.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Time-out for its shutdown: longer than the sum of its own deadlines.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);

/// How long a server is started again and again after a fault.
const RESTART_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause before each of these starts.
const RESTART_PAUSE: Duration = Duration::from_millis(200);

/// How often it is checked whether the process still runs.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// How many lines of a dead server's log are shown.
const LOG_LINES_SHOWN: usize = 20;

/// A process of a server.
#[derive(Debug)]
pub(super) struct ServerProcess {
    /// What it is called in messages.
    name: &'static str,
    log: PathBuf,
    /// The folder of the embedded queue and store.
    data: PathBuf,
    /// The disk of its data, if that can be full.
    disk: Option<SmallDisk>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    process: ChildProcess,
    /// Its flags, as variables of the environment.
    variables: Vec<(String, String)>,
    /// Whether a fault has killed it, so that it is not missed.
    is_down: bool,
}

impl ServerProcess {
    /// A process that does not run yet. The folder, if any, is removed when this process ends in
    /// any way.
    pub(super) fn new(
        name: &'static str,
        (log, data): (PathBuf, PathBuf),
        variables: Vec<(String, String)>,
        folder: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let process = ChildProcess::new(Scope::Group, folder)
            .with_context(|| format!("cannot start the reaper of the {name}"))?;
        let state = Mutex::new(State { process, variables, is_down: false });
        Ok(Self { name, log, data, disk: None, state })
    }

    /// The same with its data on a small disk.
    pub(super) fn on(self, disk: Option<SmallDisk>) -> Self {
        Self { disk, ..self }
    }

    /// Starts it, waits until it listens, and returns its URL. It listens there again after a
    /// restart, and does not open another sale.
    pub(super) fn launch(&self) -> anyhow::Result<String> {
        let mut state = self.state();
        let url = self.start(&mut state)?;
        let address = url.split_once("://").map_or(&*url, |(_, address)| address);
        let (listen, fresh_sale) = (env_name("listen"), env_name("fresh-sale"));
        state.variables.retain(|(name, _)| *name != listen && *name != fresh_sale);
        state.variables.push((listen, address.to_owned()));
        Ok(url)
    }

    fn start(&self, state: &mut State) -> anyhow::Result<String> {
        let Self { name, .. } = self;
        let log = File::options().append(true).create(true).open(&self.log)?;
        let (variables, own) = (state.variables.clone(), std::env::current_exe()?);
        let program = self.disk.as_ref().map_or(&*own, SmallDisk::program);
        let started = state.process.start(program, |command| {
            let inherited = std::env::vars_os().map(|(name, _)| name);
            for name in inherited.filter(|name| name.to_string_lossy().starts_with(ENV_PREFIX)) {
                command.env_remove(name);
            }
            if let Some(disk) = &self.disk {
                command.args(disk.arguments()).arg(&own);
            }
            command.arg("serve").envs(variables);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        });
        started.with_context(|| format!("cannot start the {name}"))?;
        match state.process.first_line(START_TIMEOUT) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                bail!("the {name} did not listen in time")
            }
            line => match line?.strip_prefix("listening on ") {
                Some(url) => Ok(url.to_owned()),
                None => {
                    state.process.wait_timeout(STOP_TIMEOUT);
                    bail!("the {name} did not start: {}", self.last_log_lines())
                }
            },
        }
    }

    /// Starts it again, as a supervisor does: while another fault lasts, it may end again at once.
    fn restart(&self, state: &mut State) -> anyhow::Result<()> {
        let deadline = Instant::now() + RESTART_TIMEOUT;
        loop {
            match self.start(state) {
                Err(_) if Instant::now() < deadline => thread::sleep(RESTART_PAUSE),
                started => return started.map(|_| ()),
            }
        }
    }

    /// Its process id.
    pub(super) fn pid(&self) -> Option<i32> {
        i32::try_from(self.state().process.pid()).ok()
    }

    /// Resolves when it has ended unexpectedly.
    pub(super) async fn died(&self) {
        let mut checks = interval(CHECK_INTERVAL);
        loop {
            checks.tick().await;
            // Whoever holds the lock is about to restart it.
            if self.state.try_lock().is_ok_and(|state| state.has_died()) {
                return;
            }
        }
    }

    /// An error if it has ended unexpectedly.
    pub(super) fn check_alive(&self) -> anyhow::Result<()> {
        let mut state = self.state();
        if !state.has_died() {
            return Ok(());
        }
        match state.process.try_status()? {
            None => Ok(()),
            Some(status) => {
                bail!("the {} died ({status}): {}", self.name, self.last_log_lines())
            }
        }
    }

    /// Shuts it down gracefully; kills it if it does not end in time.
    pub(super) async fn stop(&self) -> anyhow::Result<()> {
        let Self { name, .. } = self;
        self.check_alive()?;
        if self.state().is_down {
            return Ok(());
        }
        let signal = |signal| self.state().process.signal(signal);
        signal(Signal::TERM).with_context(|| format!("cannot stop the {name}"))?;
        let ended = async {
            let mut checks = interval(CHECK_INTERVAL);
            while !self.state().process.has_ended() {
                checks.tick().await;
            }
        };
        let is_late = timeout(STOP_TIMEOUT, ended).await.is_err();
        let mut state = self.state();
        if is_late {
            state.process.kill()?;
            bail!("the {name} did not shut down in time and was killed");
        }
        match state.process.try_status()? {
            Some(status) if !status.success() => {
                bail!("the {name} ended with {status}: {}", self.last_log_lines())
            }
            _ => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of its log; its error begins with its name, as ours will.
    fn last_log_lines(&self) -> String {
        let lines = last_lines(&self.log, LOG_LINES_SHOWN);
        lines.strip_prefix("seckill: ").unwrap_or(&lines).to_owned()
    }
}

impl State {
    fn has_died(&self) -> bool {
        !self.is_down && self.process.has_ended()
    }
}

impl Process for ServerProcess {
    fn begin(&self, action: ProcessAction, _: Option<Nodes>) -> anyhow::Result<()> {
        let mut state = self.state();
        match action {
            ProcessAction::Pause => state.process.signal(Signal::STOP)?,
            ProcessAction::Full => {
                state.is_down = true;
                self.disk.as_ref().context("its disk is not a small one")?.fill()?;
            }
            ProcessAction::Kill | ProcessAction::Wipe => {
                state.is_down = true;
                state.process.kill()?;
            }
        }
        if action == ProcessAction::Wipe && self.data.exists() {
            fs::remove_dir_all(&self.data).context("cannot remove its data")?;
        }
        Ok(())
    }

    fn end(&self, action: ProcessAction) -> anyhow::Result<()> {
        let mut state = self.state();
        match action {
            ProcessAction::Pause => return Ok(state.process.signal(Signal::CONT)?),
            ProcessAction::Full => self.disk.iter().try_for_each(SmallDisk::free)?,
            ProcessAction::Kill | ProcessAction::Wipe => {}
        }
        // A server may have survived a full disk.
        let is_needed = state.process.has_ended();
        let started = is_needed.then(|| self.restart(&mut state)).transpose();
        state.is_down = false;
        started.map(|_| ())
    }
}
