//! The interface through which the figures of a run are passed on during the run.

use std::time::SystemTime;

use super::{Recorder, Sample};

/// Receives a run's figures, in this order: its beginning, then seconds and samples as they end. It
/// is called on one thread, which is not a worker's: a slow sink delays no request until the
/// channel behind the workers is full, which makes the run invalid.
pub trait Sink {
    /// The run began at this moment.
    fn begin(&mut self, at: SystemTime) {
        let _ = at;
    }

    /// Second `second` of the run, from 0, has ended: what all workers recorded in it.
    fn second(&mut self, second: u64, recorder: &Recorder) {
        let _ = (second, recorder);
    }

    /// Samples, in no order; only if the job wants them.
    fn samples(&mut self, samples: &[Sample]) {
        let _ = samples;
    }
}

/// A sink for runs of which only the merged figures are needed.
impl Sink for () {}
