//! A running service: started, suspended, killed, started again, and never left behind.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tempfile::TempDir;

use super::error::LabError;
use super::group::{Group, Listening};
use super::guardian::Guardian;
use super::ports;
use super::recipe::Recipe;

/// Tries to start on free ports, each time on others, while somebody else takes them.
const PORT_TRIES: usize = 5;

/// How soon a starting service is looked at for the first time; each pause is twice as long as
/// the one before, since looking takes time from what is starting.
const START_POLL_MIN: Duration = Duration::from_millis(5);

/// The longest of these pauses.
const START_POLL_MAX: Duration = Duration::from_millis(100);

/// How often a stopping service is looked at.
const STOP_POLL: Duration = Duration::from_millis(5);

/// How long an orderly end may take; then it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Lines of a log that are shown: RabbitMQ names the cause 53 lines before its last.
const LOG_LINES_SHOWN: usize = 60;

/// A process group in a temporary folder. Stopped, and the folder removed, when dropped; a
/// [`Guardian`] does it when there is nobody left to drop it.
#[derive(Debug)]
pub struct Service {
    recipe: Recipe,
    group: Group,
    /// While it runs.
    child: Option<Child>,
    // In this order, so that the folder goes last.
    guardian: Guardian,
    folder: TempDir,
}

impl Service {
    /// Starts what the recipe says for a fresh folder and free ports, and waits until it is ready.
    pub(super) fn start<const PORTS: usize>(
        name: &'static str,
        recipe: impl Fn(&Path, [u16; PORTS]) -> Result<Recipe, LabError>,
    ) -> Result<Self, LabError> {
        let mut tries = 1;
        loop {
            let folder = tempfile::Builder::new().prefix("seckill-lab-").tempdir();
            let folder = folder.map_err(LabError::io(name, "make a temporary folder"))?;
            let ports = ports::free().map_err(LabError::io(name, "find a free port"))?;
            let recipe = recipe(folder.path(), ports)?;
            let guardian = Guardian::start(Some(folder.path()));
            let guardian = guardian.map_err(LabError::io(name, "start its guardian"))?;
            let mut service = Self { recipe, group: Group(0), child: None, guardian, folder };
            match service.launch() {
                Err(LabError::CouldNotStart { .. })
                    if tries < PORT_TRIES && service.is_robbed() => {}
                done => return done.map(|()| service),
            }
            tries += 1;
        }
    }

    /// Its process, which leads its process group. The last one, if it does not run.
    pub fn pid(&self) -> u32 {
        self.group.0
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ports that it listens on; the first is that of its address.
    pub fn ports(&self) -> &[u16] {
        &self.recipe.ports
    }

    /// The last lines that it wrote.
    pub fn last_words(&self) -> String {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.trim_end().lines().collect();
        match lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n") {
            nothing if nothing.is_empty() => "it had written nothing".to_owned(),
            words => words,
        }
    }

    /// Ends it at once, as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) -> Result<(), LabError> {
        let Some(child) = &mut self.child else { return Ok(()) };
        let name = self.recipe.name;
        self.group.signal(Signal::KILL).map_err(LabError::io(name, "kill it"))?;
        // Its number is free for others when it has been waited for: not a moment later does the
        // guardian forget it.
        let forgotten = self.guardian.forget();
        child.wait().map_err(LabError::io(name, "wait for its end"))?;
        self.child = None;
        forgotten.map_err(LabError::io(name, "tell its guardian"))?;
        self.group.wait_gone().map_err(LabError::io(name, "wait for its end"))
    }

    /// Lets it stand still: it keeps its connections, and answers nothing.
    pub fn suspend(&mut self) -> Result<(), LabError> {
        self.signal(Signal::STOP)?;
        let stopped = self.group.wait_stopped();
        stopped.map_err(LabError::io(self.recipe.name, "suspend it"))
    }

    /// Lets it go on after [`suspend`](Self::suspend).
    pub fn resume(&mut self) -> Result<(), LabError> {
        self.signal(Signal::CONT)
    }

    /// Starts it again on the same folder and ports, and waits until it is ready. What still runs
    /// is stopped before.
    pub fn restart(&mut self) -> Result<(), LabError> {
        self.stop()?;
        self.launch()
    }

    /// Ends it in good order where that is quick, and kills it where not.
    pub fn stop(&mut self) -> Result<(), LabError> {
        if self.child.is_some() && self.recipe.stop != Signal::KILL {
            self.signal(self.recipe.stop)?;
            // What is suspended could not hear it.
            self.resume()?;
            let deadline = Instant::now() + STOP_TIMEOUT;
            while !self.has_ended() && Instant::now() < deadline {
                std::thread::sleep(STOP_POLL);
            }
        }
        self.kill()
    }

    fn signal(&self, signal: Signal) -> Result<(), LabError> {
        let name = self.recipe.name;
        if self.child.is_none() {
            let gone = io::Error::new(io::ErrorKind::NotFound, "it does not run: restart it");
            return Err(LabError::io(name, "signal it")(gone));
        }
        self.group.signal(signal).map_err(LabError::io(name, "signal it"))
    }

    fn launch(&mut self) -> Result<(), LabError> {
        let name = self.recipe.name;
        let spawn = || {
            let log = File::options().append(true).create(true).open(self.log_path())?;
            self.recipe.spawn(self.folder.path(), log)
        };
        let mut child = spawn().map_err(LabError::io(name, "start it"))?;
        let stdin = child.stdin.take();
        self.group = Group(child.id());
        self.child = Some(child);
        // First the guardian, then the word to go.
        let guarded = self.guardian.guard_group(self.group.0);
        guarded.map_err(LabError::io(name, "tell its guardian"))?;
        let told = stdin.map_or(Ok(()), |mut stdin| stdin.write_all(b"go\n"));
        told.map_err(LabError::io(name, "start it"))?;
        let ready = self.wait_ready();
        if ready.is_err() {
            // What went wrong first is what counts; the guardian tries this once more.
            let _ = self.kill();
        }
        ready
    }

    fn wait_ready(&self) -> Result<(), LabError> {
        let Recipe { name: service, ports, start_timeout: within, .. } = &self.recipe;
        let deadline = Instant::now() + *within;
        let mut pause = START_POLL_MIN;
        loop {
            match self.group.listening(ports) {
                Listening::All if (self.recipe.is_ready)(ports[0]) => return Ok(()),
                Listening::All | Listening::NotYet => {}
                Listening::Another => {
                    let log = format!("another process listens on one of its ports, {ports:?}");
                    return Err(LabError::CouldNotStart { service, log });
                }
            }
            let log = || self.last_words();
            if self.has_ended() {
                return Err(LabError::CouldNotStart { service, log: log() });
            }
            if Instant::now() >= deadline {
                return Err(LabError::NotReady { service, within: *within, log: log() });
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(START_POLL_MAX);
        }
    }

    /// Whether another process listens on one of its ports.
    fn is_robbed(&self) -> bool {
        self.group.listening(&self.recipe.ports) == Listening::Another
    }

    /// Whether it has ended by itself. It is not reaped, so that its number stays its own until
    /// its group has been killed.
    fn has_ended(&self) -> bool {
        let Some(pid) = i32::try_from(self.group.0).ok().and_then(Pid::from_raw) else {
            return true;
        };
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(pid), look), Ok(None))
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("service.log")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // If this fails, the guardian, which goes next, tries once more.
        let _ = self.stop();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;
    use std::net::TcpListener;

    use super::*;

    /// Starts a service whose first port is taken by somebody else at the first try, its second at
    /// the second, and so on, between the look for free ports and the start.
    pub(in crate::lab) fn start_where_ports_are_taken<const PORTS: usize>(
        recipe: impl Fn(&Path, [u16; PORTS]) -> Result<Recipe, LabError>,
    ) {
        let (tries, others) = (Cell::new(0), Cell::new(Vec::new()));
        let service = Service::start("test", |folder, ports| {
            let port = ports.get(tries.replace(tries.get() + 1));
            let other = port.map(|port| TcpListener::bind(("127.0.0.1", *port)).unwrap());
            others.set(others.take().into_iter().chain(other).collect());
            recipe(folder, ports)
        });
        let service = service.unwrap();
        assert_eq!(tries.get(), PORTS + 1);
        assert_eq!(others.take().len(), PORTS);
        assert_eq!(service.group.listening(service.ports()), Listening::All);
    }
}
