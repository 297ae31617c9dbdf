//! A child process of any kind, which never outlives its parent.
//!
//! The command starts as a shell that registers itself with the [`Reaper`] and then becomes the
//! program, so there is no moment at which a `kill -9` of the parent would leave the program
//! behind. A shell does not pass on environment variables whose names are not identifiers.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::signal::unix::{SignalKind, signal};

use super::group::ProcessGroup;
use super::reaper::Reaper;

/// Longest first line of a child's stdout, in bytes.
const LINE_LEN_MAX: u64 = 256;

/// How often [`ChildProcess::wait_timeout`] checks whether the child has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// `$1` is the reaper's registry, `$2` is `-` for a process group; the rest is the command.
const SCRIPT: &str = r#"printf '%s%s\n' "$2" $$ >"$1" || exit 1; shift 2; exec "$@""#;

/// What a signal to a child process reaches, and what the reaper kills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The child leads its own process group, all of which gets the signal. Ctrl-C on the terminal
    /// does not reach it.
    Group,
    /// The child stays in this process's group, so that Ctrl-C on the terminal reaches it too, and
    /// it may read from the terminal. Only the child itself gets a signal.
    Process,
}

/// A child process, or the place for one. Dropping it kills the process.
#[derive(Debug)]
pub struct ChildProcess {
    scope: Scope,
    /// The id of the last process; 0 before the first.
    pid: u32,
    /// The process until it has been reaped. Its id is not reused before.
    child: Option<Child>,
    status: Option<ExitStatus>,
    reaper: Reaper,
}

impl ChildProcess {
    /// Prepares to start a process. The folder, if any, is removed when this is dropped or when
    /// this process ends in any way.
    pub fn new(scope: Scope, folder: Option<&Path>) -> io::Result<Self> {
        let reaper = Reaper::start(folder)?;
        Ok(Self { scope, pid: 0, child: None, status: None, reaper })
    }

    /// Starts a program; a process that still runs is killed before. `configure` adds arguments,
    /// environment and standard streams.
    ///
    /// It is no error here if the program cannot be executed: then the shell reports it on stderr,
    /// and the child's exit code is 126 or 127.
    pub fn start(
        &mut self,
        program: &Path,
        configure: impl FnOnce(&mut Command),
    ) -> io::Result<()> {
        self.kill()?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "seckill-child"]).arg(self.reaper.registry()?);
        match self.scope {
            Scope::Group => command.arg("-").process_group(0),
            Scope::Process => command.arg(""),
        };
        configure(command.arg(program));
        let child = command.spawn()?;
        (self.pid, self.child, self.status) = (child.id(), Some(child), None);
        Ok(())
    }

    /// The id of the process, or of the last one.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits for the first line of its stdout, which must be a pipe. The line is empty if the
    /// child closed its stdout or ended before; nothing is read after it.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] when the line does not come in time.
    pub fn first_line(&mut self, within: Duration) -> io::Result<String> {
        let stdout = self.child.as_mut().and_then(|child| child.stdout.take());
        let stdout = stdout.ok_or_else(not_running)?;
        let (send, receive) = mpsc::channel();
        // The thread ends with the line, or with the child.
        thread::Builder::new().name("first line".into()).spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout.take(LINE_LEN_MAX)).read_line(&mut line);
            let _ = send.send(read.map(|_| line.trim_end().to_owned()));
        })?;
        match receive.recv_timeout(within) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when no process runs.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.child.is_none() {
            return Err(not_running());
        }
        match self.scope {
            Scope::Group => self.group().signal(signal),
            Scope::Process => match as_pid(self.pid) {
                // It has not been reaped, so its id is not another process's.
                Some(pid) => Ok(kill_process(pid, signal)?),
                None => Err(not_running()),
            },
        }
    }

    /// Its process group, if it leads one.
    pub(super) fn group(&self) -> ProcessGroup {
        ProcessGroup(self.pid)
    }

    /// Whether no process runs. A process that has ended is not reaped here, so that its id is not
    /// reused before its group has been killed.
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match as_pid(self.pid).filter(|_| self.child.is_some()) {
            Some(pid) => !matches!(waitid(WaitId::Pid(pid), options), Ok(None)),
            None => true,
        }
    }

    /// Its exit status, if it has ended by itself or was killed.
    pub fn try_status(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.has_ended() {
            self.kill()?;
        }
        Ok(self.status)
    }

    /// Waits for its end without blocking the thread, and gives its exit status. Cancel safe.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        // Subscribing before the check makes sure that no end is missed between the two.
        let mut child_signals = signal(SignalKind::child())?;
        loop {
            if self.has_ended() {
                return self.try_status()?.ok_or_else(not_running);
            }
            child_signals.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
        }
    }

    /// Blocks until it has ended, at most this long; whether it has.
    pub fn wait_timeout(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(POLL_INTERVAL);
        }
        true
    }

    /// Kills it with SIGKILL, its process group too if it leads one, and waits until all of them
    /// have ended. Does nothing if no process runs.
    pub fn kill(&mut self) -> io::Result<()> {
        if self.child.is_none() {
            return Ok(());
        }
        self.signal(Signal::KILL)?;
        if let Some(pid) = as_pid(self.pid) {
            // The child may register until it has ended, so the reaper may not forget it earlier;
            // its id may be reused once it has been reaped, so not later either.
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        }
        let forgotten = self.reaper.forget();
        let status = self.child.as_mut().map(Child::wait).transpose()?;
        (self.child, self.status) = (None, status);
        forgotten?;
        match self.scope {
            Scope::Group => self.group().wait_gone(),
            Scope::Process => Ok(()),
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // If this fails, the reaper, which is dropped next, tries once more.
        let _ = self.kill();
    }
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn not_running() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it does not run: restart it")
}
