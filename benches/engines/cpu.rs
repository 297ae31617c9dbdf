//! The CPU time of this process and of both engines.

use crate::support::cpu::spent_us;
use crate::support::median;

/// CPU microseconds per attempt: of this process, of RabbitMQ and of Redis.
type Spent = [f64; 3];

/// The CPU time of each kind of measurement.
pub(crate) struct Cpu {
    pids: [i32; 3],
    attempts: u64,
    spent: [Vec<Spent>; 5],
}

impl Cpu {
    /// Those of RabbitMQ and Redis with these process ids, for so many attempts a measurement.
    pub(crate) fn new(engines: [u32; 2], attempts: u64) -> Self {
        let [rabbitmq, redis] = engines.map(|pid| pid as i32);
        let pids = [std::process::id() as i32, rabbitmq, redis];
        Self { pids, attempts, spent: Default::default() }
    }

    /// Measures, and notes the CPU time as of this kind.
    pub(crate) fn of<T>(&mut self, kind: usize, measure: impl FnOnce() -> T) -> T {
        let before = self.pids.map(spent_us);
        let measured = measure();
        let after = self.pids.map(spent_us);
        let each = |process: usize| (after[process] - before[process]) / self.attempts as f64;
        self.spent[kind].push([each(0), each(1), each(2)]);
        measured
    }

    /// The median of each process.
    pub(crate) fn medians(&self, kind: usize) -> Spent {
        [0, 1, 2].map(|process| median(self.spent[kind].iter().map(|s| s[process]).collect()))
    }
}
