//! A thread that samples procfs while a run goes on.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::sample::Sample;
use super::usage::Usage;

/// Time between two samples.
const INTERVAL: Duration = Duration::from_millis(250);

/// Samples CPU and memory of machine, generator and server during a run.
#[derive(Debug)]
pub struct Monitor {
    stop: Sender<()>,
    sampler: JoinHandle<Vec<Sample>>,
    server_pid: Option<i32>,
}

impl Monitor {
    /// Measures for a moment before the run, then begins to sample it.
    ///
    /// # Errors
    /// When the sampling thread cannot be started.
    pub fn start(server_pid: Option<i32>) -> io::Result<Self> {
        let before = Sample::now(server_pid);
        thread::sleep(INTERVAL);
        let (stop, stopped) = mpsc::channel();
        let run = move || sample_until(&stopped, server_pid, before);
        let sampler = thread::Builder::new().name("monitor".into()).spawn(run)?;
        Ok(Self { stop, sampler, server_pid })
    }

    /// Ends the sampling, at the end of the run, and measures for a moment after it.
    pub fn finish(self) -> Usage {
        // The receiver is gone only if the thread panicked, and then there is nothing to report.
        let _ = self.stop.send(());
        let mut samples = self.sampler.join().unwrap_or_default();
        thread::sleep(INTERVAL);
        samples.push(Sample::now(self.server_pid));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Usage::of(&samples, cores)
    }
}

/// Samples from the begin of the run to its end; the first sample is the one before the run.
fn sample_until(stopped: &Receiver<()>, server_pid: Option<i32>, before: Sample) -> Vec<Sample> {
    let mut samples = vec![before, Sample::now(server_pid)];
    loop {
        let ended = stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        let sample = Sample::now(server_pid);
        // A last interval too short to be measured is merged into the one before.
        let short = samples.last().is_some_and(|last| sample.at - last.at < INTERVAL / 4);
        if ended && short && samples.len() > 2 {
            samples.pop();
        }
        samples.push(sample);
        if ended {
            return samples;
        }
    }
}
