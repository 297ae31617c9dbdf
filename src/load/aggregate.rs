//! Merges what the workers record, second by second, during the run.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::time::{Instant, SystemTime};

use crate::stats::{Recorder, Sink};

use super::worker::Part;

/// The seconds of a run, merged over the workers.
struct Seconds<'a> {
    sink: &'a mut dyn Sink,
    all: Recorder,
    /// Seconds that not all workers have ended.
    open: BTreeMap<u64, Recorder>,
    /// The first second that each worker has not ended.
    next_of: Vec<u64>,
    /// The first second that the sink has not received.
    next: u64,
}

/// Receives from the workers until all have ended, feeds the sink, and returns the merged figures.
/// `begun` returns the beginning of the run, which is known once the first part arrives.
pub(super) fn aggregate(
    parts: &Receiver<Part>,
    workers: usize,
    begun: impl Fn() -> Option<Instant>,
    sink: &mut dyn Sink,
) -> Recorder {
    let mut seconds = Seconds {
        sink,
        all: Recorder::default(),
        open: BTreeMap::new(),
        next_of: vec![0; workers],
        next: 0,
    };
    let mut is_first = true;
    for part in parts {
        if std::mem::take(&mut is_first) {
            let ago = begun().map(|begun| begun.elapsed()).unwrap_or_default();
            seconds.sink.begin(SystemTime::now() - ago);
        }
        match part {
            Part::Samples(samples) => seconds.sink.samples(&samples),
            Part::Second { worker, second, recorder } => {
                seconds.add(second, recorder.finish());
                seconds.ended(worker, second + 1);
            }
            Part::End { worker } => seconds.ended(worker, u64::MAX),
        }
    }
    seconds.all
}

impl Seconds<'_> {
    fn add(&mut self, second: u64, recorder: Recorder) {
        match self.open.get_mut(&second) {
            Some(others) => others.merge(&recorder),
            None => drop(self.open.insert(second, recorder)),
        }
    }

    /// A worker has ended all seconds before `next`.
    fn ended(&mut self, worker: usize, next: u64) {
        self.next_of[worker] = next;
        let by_all = self.next_of.iter().copied().min().unwrap_or(0);
        while let Some(entry) = self.open.first_entry()
            && *entry.key() < by_all
        {
            let (second, recorder) = entry.remove_entry();
            for silent in self.next..second {
                self.sink.second(silent, &Recorder::default());
            }
            self.sink.second(second, &recorder);
            self.all.merge(&recorder);
            self.next = second + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::stats::SecondRecorder;

    #[derive(Default)]
    struct Seen {
        seconds: Vec<(u64, u64)>,
    }

    impl Sink for Seen {
        fn begin(&mut self, _: SystemTime) {
            assert!(self.seconds.is_empty());
        }

        fn second(&mut self, second: u64, recorder: &Recorder) {
            self.seconds.push((second, recorder.counts.began));
        }

        fn samples(&mut self, _: &[crate::stats::Sample]) {
            panic!("no samples were sent");
        }
    }

    fn second(worker: usize, second: u64, began: u64) -> Part {
        let mut recorder = Box::new(SecondRecorder::default());
        recorder.recorder.counts.began = began;
        Part::Second { worker, second, recorder }
    }

    #[test]
    fn sink_receives_a_second_once_when_all_workers_have_ended_it() {
        let (sender, parts) = channel();
        let sent = [
            second(0, 0, 1),
            second(1, 0, 2),
            second(0, 3, 4),
            Part::End { worker: 0 },
            second(1, 1, 8),
            second(1, 4, 16),
            Part::End { worker: 1 },
        ];
        sent.into_iter().for_each(|part| sender.send(part).unwrap());
        drop(sender);
        let mut seen = Seen::default();
        let all = aggregate(&parts, 2, || None, &mut seen);
        assert_eq!(seen.seconds, [(0, 3), (1, 8), (2, 0), (3, 4), (4, 16)]);
        assert_eq!(all.counts.began, 31);
    }
}
