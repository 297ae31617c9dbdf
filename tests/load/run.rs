//! A run against a scripted server, with everything that is to be seen of it.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use clap::Parser;
use seckill::audit::{AttemptNo, History, Told};
use seckill::ids::RequestId;
use seckill::load::{self, Job, Seen, Stop};
use seckill::profile::{BenchFlags, Plan, Target};
use seckill::stats::{Counts, Live, Sample, Summary};

use super::child::PATIENCE;

/// Flags as they are written on the command line.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Flags {
    #[command(flatten)]
    bench: BenchFlags,
}

/// What is known of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) summary: Summary,
    pub(crate) history: History,
    /// In no order.
    pub(crate) samples: Vec<Sample>,
}

/// The plan that flags make; the seed is 1 where they give none.
pub(crate) fn plan(flags: &str) -> Plan {
    Plan::new(&Flags::parse_from(flags.split_whitespace()).bench, 1).unwrap()
}

/// Loads a server to the end of the plan.
#[track_caller]
pub(crate) fn load(url: &str, flags: &str) -> Run {
    load_until(url, flags, &Stop::default(), |_| {})
}

/// As [`load`], and it can be stopped and watched.
#[track_caller]
pub(crate) fn load_until(
    url: &str,
    flags: &str,
    stop: &Stop,
    mut watch: impl FnMut(&Seen<'_>) + Send + 'static,
) -> Run {
    let (plan, target, stop) = (plan(flags), Target::new(Some(url)).unwrap(), stop.clone());
    let (done, ran) = channel();
    std::thread::spawn(move || {
        let live = Arc::new(Live::new(load::workers(plan.threads)));
        let (plan, target, item) = (&plan, &target, &"tea".parse().unwrap());
        let (live, stop, epoch) = (&live, &stop, 1);
        let job = Job { plan, target, item, epoch, live, stop, wants_samples: true };
        let (mut samples, mut of_seconds, mut begun) = (Vec::new(), Counts::default(), 0);
        let ran = load::run(&job, |seen| {
            watch(&seen);
            match seen {
                Seen::Begun(_) => begun += 1,
                Seen::Second(_, recorder) => of_seconds.merge(&recorder.counts),
                Seen::Samples(some) => samples.extend_from_slice(some),
            }
        });
        let ran = ran.unwrap();
        let (summary, history) = (ran.recorder.finish(), ran.history);
        assert_eq!(begun, 1);
        assert_eq!(of_seconds, summary.counts, "the seconds together are the run");
        assert_eq!(samples.len() as u64, summary.total);
        let totals = live.totals();
        assert_eq!(totals.samples, summary.total + summary.counts.warmup);
        assert_eq!(totals.active(), 0);
        done.send(Run { summary, history, samples }).unwrap();
    });
    ran.recv_timeout(PATIENCE).expect("the run goes on, or it has failed: see above")
}

impl Run {
    pub(crate) fn counts(&self) -> &Counts {
        &self.summary.counts
    }

    /// Attempts that were made.
    pub(crate) fn sent(&self) -> u64 {
        self.history.sent.iter().sum()
    }

    /// Their ids.
    pub(crate) fn sent_ids(&self) -> Vec<RequestId> {
        let rows = self.history.sent.iter().zip(0..);
        let attempts = rows
            .flat_map(|(sent, thread)| (0..*sent).map(move |index| AttemptNo { thread, index }));
        attempts.map(|attempt| self.history.ids.request_id(attempt)).collect()
    }

    /// How many requests ended so: an outcome's or an error's word.
    pub(crate) fn ended(&self, word: &str) -> u64 {
        let outcomes = self.summary.by_outcome.iter().filter(|(outcome, _)| *outcome == word);
        let errors = self.summary.by_error.iter().filter(|(kind, _)| kind == word);
        outcomes.map(|(_, count)| count).chain(errors.map(|(_, count)| count)).sum()
    }

    /// What the attempts with an entry in the history were told, each of which has only one.
    #[track_caller]
    pub(crate) fn told(&self) -> Vec<Told> {
        let mut attempts: Vec<_> = self.history.entries.iter().map(|e| e.attempt).collect();
        attempts.sort();
        assert!(attempts.windows(2).all(|pair| pair[0] < pair[1]), "two entries for an attempt");
        self.history.entries.iter().map(|entry| entry.told.clone()).collect()
    }

    /// The moments that the schedule named, in their order.
    pub(crate) fn intended(&self) -> Vec<Duration> {
        let mut intended: Vec<_> = self.samples.iter().filter_map(|s| s.intended).collect();
        intended.sort();
        intended
    }
}
