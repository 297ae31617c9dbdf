//! Puts together what the workers record, second by second, while they go on.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::time::{Instant, SystemTime};

use crate::stats::{Recorder, Sample};

use super::worker::Part;

/// What is seen of a run while it goes on.
#[derive(Debug)]
pub enum Seen<'a> {
    /// It began at this moment: the first that is seen.
    Begun(SystemTime),
    /// A second of it, from 0, has ended: what all workers recorded in it.
    Second(u64, &'a Recorder),
    /// Samples, in no order.
    Samples(&'a [Sample]),
}

/// The seconds of a run, as the workers end them.
struct Seconds<W> {
    watch: W,
    all: Recorder,
    /// Those that not all workers have ended.
    open: BTreeMap<u64, Recorder>,
    /// The first that each worker has not ended.
    next_of: Vec<u64>,
    /// The first that has not been seen.
    next: u64,
}

/// Takes what the workers hand on, until all have ended, and gives everything together. `begun`
/// gives the beginning of the run, once there is something to take.
pub(super) fn collect(
    parts: &Receiver<Part>,
    workers: usize,
    begun: impl Fn() -> Option<Instant>,
    watch: impl FnMut(Seen<'_>),
) -> Recorder {
    let mut seconds = Seconds {
        watch,
        all: Recorder::default(),
        open: BTreeMap::new(),
        next_of: vec![0; workers],
        next: 0,
    };
    let mut is_first = true;
    for part in parts {
        if std::mem::take(&mut is_first) {
            let ago = begun().map(|begun| begun.elapsed()).unwrap_or_default();
            (seconds.watch)(Seen::Begun(SystemTime::now() - ago));
        }
        match part {
            Part::Samples(samples) => (seconds.watch)(Seen::Samples(&samples)),
            Part::Second { worker, second, recorder } => {
                seconds.add(second, *recorder);
                seconds.ended(worker, second + 1);
            }
            Part::End { worker } => seconds.ended(worker, u64::MAX),
        }
    }
    seconds.all
}

impl<W: FnMut(Seen<'_>)> Seconds<W> {
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
                (self.watch)(Seen::Second(silent, &Recorder::default()));
            }
            (self.watch)(Seen::Second(second, &recorder));
            self.all.merge(&recorder);
            self.next = second + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn second(worker: usize, second: u64, began: u64) -> Part {
        let mut recorder = Box::new(Recorder::default());
        recorder.counts.began = began;
        Part::Second { worker, second, recorder }
    }

    #[test]
    fn a_second_is_seen_once_when_all_workers_have_ended_it() {
        let (sender, parts) = channel();
        let said = [
            second(0, 0, 1),
            second(1, 0, 2),
            second(0, 3, 4),
            Part::End { worker: 0 },
            second(1, 1, 8),
            second(1, 4, 16),
            Part::End { worker: 1 },
        ];
        said.into_iter().for_each(|part| sender.send(part).unwrap());
        drop(sender);
        let mut seen = Vec::new();
        let all = collect(
            &parts,
            2,
            || None,
            |what| match what {
                Seen::Second(second, recorder) => seen.push((second, recorder.counts.began)),
                Seen::Begun(_) => assert!(seen.is_empty()),
                Seen::Samples(_) => panic!("no samples were sent"),
            },
        );
        assert_eq!(seen, [(0, 3), (1, 8), (2, 0), (3, 4), (4, 16)]);
        assert_eq!(all.counts.began, 31);
    }
}
