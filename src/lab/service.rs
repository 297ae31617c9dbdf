//! A running service: started, suspended, killed and restarted.
//!
//! It knows nothing of a particular service; a [`Recipe`] has all of that.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::child::{ChildProcess, Scope};
use super::error::LabError;
use super::group::Listening;
use super::log::last_lines;
use super::ports;
use super::recipe::Recipe;

/// Most attempts to start. Each is on other ports, after another process took one of the ports.
const PORT_TRIES: usize = 5;

/// The pause before the first check of a starting service. Each pause is twice as long as the one
/// before, since the checks take CPU time from the service.
const START_POLL_MIN: Duration = Duration::from_millis(5);

/// The longest of these pauses.
const START_POLL_MAX: Duration = Duration::from_millis(100);

/// How long an orderly shutdown may take before the service is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The file in its folder with its stdout and stderr.
const LOG: &str = "service.log";

/// How many lines of a log are shown: RabbitMQ names the cause 53 lines before its last one.
const LOG_LINES_SHOWN: usize = 60;

/// A process group in a temporary folder. Dropping it stops the processes and removes the folder;
/// its [`ChildProcess`] sees to both when this process ends without dropping it.
#[derive(Debug)]
pub struct Service {
    recipe: Recipe,
    // In this order, so that the folder is removed last.
    process: ChildProcess,
    folder: TempDir,
}

impl Service {
    /// Starts the recipe in a new folder on free ports, and waits until the service is ready.
    pub(super) fn start<const PORTS: usize>(
        name: &'static str,
        recipe: impl Fn(&Path, [u16; PORTS]) -> Result<Recipe, LabError>,
    ) -> Result<Self, LabError> {
        let mut tries = 1;
        loop {
            let folder = tempfile::Builder::new().prefix("seckill-lab-").tempdir();
            let folder = folder.map_err(LabError::io(name, "make a temporary folder"))?;
            // First of all, so that the folder is removed whenever this process ends.
            let process = ChildProcess::new(Scope::Group, Some(folder.path()));
            let process = process.map_err(LabError::io(name, "start its reaper"))?;
            let ports = ports::free().map_err(LabError::io(name, "find a free port"))?;
            let recipe = recipe(folder.path(), ports)?;
            let mut service = Self { recipe, process, folder };
            match service.launch() {
                Err(LabError::CouldNotStart { .. })
                    if tries < PORT_TRIES && service.has_lost_a_port() => {}
                done => return done.map(|()| service),
            }
            tries += 1;
        }
    }

    /// The id of its process, which leads its process group, or of the last one if it does not run.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The folder with its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ports that it listens on; the first is that of its address.
    pub fn ports(&self) -> &[u16] {
        &self.recipe.ports
    }

    /// Whether its process runs, suspended or not.
    pub fn is_running(&self) -> bool {
        !self.process.has_ended()
    }

    /// The last lines of its log.
    pub fn last_log_lines(&self) -> String {
        last_lines(&self.folder.path().join(LOG), LOG_LINES_SHOWN)
    }

    /// Kills it with SIGKILL and waits until it has ended.
    pub fn kill(&mut self) -> Result<(), LabError> {
        self.process.kill().map_err(LabError::io(self.recipe.name, "kill it"))
    }

    /// Kills it, and removes its data.
    pub fn wipe(&mut self) -> Result<(), LabError> {
        self.kill()?;
        self.recipe.data.iter().try_for_each(|name| {
            let path = self.folder.path().join(name);
            let removed = match path.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(LabError::io(self.recipe.name, "remove its data")(error))
                }
                _ => Ok(()),
            }
        })
    }

    /// Suspends it: it keeps its connections, but answers nothing.
    pub fn suspend(&mut self) -> Result<(), LabError> {
        self.signal(Signal::STOP)?;
        let stopped = self.process.group().wait_stopped();
        stopped.map_err(LabError::io(self.recipe.name, "suspend it"))
    }

    /// Lets it continue after [`suspend`](Self::suspend).
    pub fn resume(&mut self) -> Result<(), LabError> {
        self.signal(Signal::CONT)
    }

    /// Starts it again in the same folder on the same ports, and waits until it is ready. If it
    /// still runs, it is stopped before.
    pub fn restart(&mut self) -> Result<(), LabError> {
        self.stop()?;
        self.launch()
    }

    /// Shuts it down in good order, or kills it where that would take too long.
    pub fn stop(&mut self) -> Result<(), LabError> {
        if !self.process.has_ended() && self.recipe.stop != Signal::KILL {
            self.signal(self.recipe.stop)?;
            // While it is suspended, it cannot handle the signal.
            self.resume()?;
            self.process.wait_timeout(STOP_TIMEOUT);
        }
        self.kill()
    }

    fn signal(&self, signal: Signal) -> Result<(), LabError> {
        self.process.signal(signal).map_err(LabError::io(self.recipe.name, "signal it"))
    }

    fn launch(&mut self) -> Result<(), LabError> {
        let Self { recipe, process, folder, .. } = self;
        let folder = folder.path();
        let log = File::options().append(true).create(true).open(folder.join(LOG));
        let started = log.and_then(|log| {
            let log = [log.try_clone()?, log];
            process.start(&recipe.program, |command| recipe.configure(folder, log, command))
        });
        started.map_err(LabError::io(recipe.name, "start it"))?;
        let ready = self.wait_ready();
        if ready.is_err() {
            // The first error is the one that counts; the reaper tries this once more.
            let _ = self.kill();
        }
        ready
    }

    fn wait_ready(&self) -> Result<(), LabError> {
        let Recipe { name: service, ports, start_timeout: within, .. } = &self.recipe;
        let deadline = Instant::now() + *within;
        let mut pause = START_POLL_MIN;
        loop {
            match self.process.group().listening(ports) {
                Listening::All if (self.recipe.is_ready)(ports[0]) => return Ok(()),
                Listening::All | Listening::NotYet => {}
                Listening::Another => {
                    let log = format!("another process listens on one of its ports, {ports:?}");
                    return Err(LabError::CouldNotStart { service, log });
                }
            }
            let log = || self.last_log_lines();
            if self.process.has_ended() {
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
    fn has_lost_a_port(&self) -> bool {
        self.process.group().listening(&self.recipe.ports) == Listening::Another
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // If this fails, dropping the process tries once more.
        let _ = self.stop();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;
    use std::net::TcpListener;

    use super::*;

    /// Starts a service while another process takes its first port before the first attempt, its
    /// second port before the second attempt, and so on, after the ports were found free.
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
        assert_eq!(service.process.group().listening(service.ports()), Listening::All);
    }
}
