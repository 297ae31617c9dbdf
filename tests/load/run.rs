//! A run against a scripted server, with all its results.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use clap::Parser;
use seckill::history::{Answered, AttemptNo, Beginning, History, Refused, RequestWindow};
use seckill::ids::RequestId;
use seckill::load::{self, Job};
use seckill::profile::{BenchFlags, Plan};
use seckill::stats::{Counts, Live, Recorder, Sample, Sink, StepSummary, Summary};
use seckill::sut::{Sut, Target};
use tokio_util::sync::CancellationToken;

use crate::support::child::WAIT_MAX;
use crate::support::scripted::{Received, Scripted};

/// Flags as they are written on the command line.
#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Flags {
    #[command(flatten)]
    bench: BenchFlags,
}

/// The results of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) summary: Summary,
    pub(crate) history: History,
    /// In no particular order.
    pub(crate) samples: Vec<Sample>,
    /// The steps beside the purchase.
    pub(crate) steps: Vec<StepSummary>,
    /// When the times of the history begin.
    pub(crate) beginning: Beginning,
}

/// The plan of these flags; the seed is 1 by default.
pub(crate) fn plan(flags: &str) -> Plan {
    let mut flags = Flags::parse_from(flags.split_whitespace()).bench;
    flags.io.get_or_insert(crate::io());
    Plan::new(&flags, 1).unwrap()
}

/// Loads a server until the plan ends.
#[track_caller]
pub(crate) fn load(url: &str, flags: &str) -> Run {
    load_until(url, flags, &CancellationToken::new(), |_| {})
}

/// Like [`load`], with callbacks to watch and stop it.
#[track_caller]
pub(crate) fn load_until(
    url: &str,
    flags: &str,
    stop: &CancellationToken,
    watch: impl FnMut(u64) + Send + 'static,
) -> Run {
    load_shop(Sut::Seckill, url, flags, stop, watch).unwrap()
}

/// Like [`load_until`], for any kind of tested system. A run that does not begin is an error.
#[track_caller]
pub(crate) fn load_shop(
    sut: Sut,
    url: &str,
    flags: &str,
    stop: &CancellationToken,
    watch: impl FnMut(u64) + Send + 'static,
) -> io::Result<Run> {
    let (plan, target, stop) = (plan(flags), Target::new(Some(url)).unwrap(), stop.clone());
    let (done, ran) = channel();
    std::thread::spawn(move || {
        let live = Arc::new(Live::new(load::workers(plan.threads)));
        let (plan, target, item) = (&plan, &target, &"tea".parse().unwrap());
        let (live, stop, epoch) = (&live, &stop, 1);
        let (sut, beginning, wants_samples) = (&sut, Beginning::now(), true);
        let job = Job { plan, sut, target, item, epoch, beginning, live, stop, wants_samples };
        let mut seen = Seen { watch, begun: 0, counts: Counts::default(), samples: Vec::new() };
        let ran = match load::run(&job, &mut seen) {
            Ok(ran) => ran,
            Err(error) => return done.send(Err(error)).unwrap(),
        };
        let (summary, history, steps) = (ran.recorder.finish(), ran.history, ran.steps.summaries());
        let Seen { begun, counts: of_seconds, samples, .. } = seen;
        assert_eq!(begun, 1);
        assert_eq!(of_seconds, summary.counts, "the sum of the seconds differs from the run");
        assert_eq!(samples.len() as u64, summary.total);
        let totals = live.totals();
        assert_eq!(totals.samples, summary.total + summary.counts.warmup);
        assert_eq!(totals.active(), 0);
        assert_eq!(history.began_us, beginning.unix_us());
        done.send(Ok(Run { summary, history, samples, steps, beginning })).unwrap();
    });
    ran.recv_timeout(WAIT_MAX).expect("the run did not end in time, or it panicked")
}

/// What the sink of a run received.
struct Seen<W> {
    /// Called with the number of each second that has ended.
    watch: W,
    begun: u64,
    counts: Counts,
    samples: Vec<Sample>,
}

impl<W: FnMut(u64)> Sink for Seen<W> {
    fn begin(&mut self, _: std::time::SystemTime) {
        self.begun += 1;
    }

    fn second(&mut self, second: u64, recorder: &Recorder) {
        (self.watch)(second);
        self.counts.merge(&recorder.counts);
    }

    fn samples(&mut self, samples: &[Sample]) {
        self.samples.extend_from_slice(samples);
    }
}

impl Run {
    pub(crate) fn counts(&self) -> &Counts {
        &self.summary.counts
    }

    /// The number of attempts sent.
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

    /// The number of requests with this outcome or error.
    pub(crate) fn ended(&self, word: &str) -> u64 {
        let outcomes =
            self.summary.by_outcome.iter().filter(|(outcome, _)| outcome.as_str() == word);
        let errors = self.summary.by_error.iter().filter(|(kind, _)| kind.to_string() == word);
        outcomes.map(|(_, count)| count).chain(errors.map(|(_, count)| count)).sum()
    }

    /// The outcomes in the history, which has at most one entry per attempt.
    #[track_caller]
    pub(crate) fn outcomes(&self) -> Vec<Answered> {
        let mut attempts: Vec<_> = self.history.entries.iter().map(|e| e.attempt).collect();
        attempts.sort();
        assert!(attempts.windows(2).all(|pair| pair[0] < pair[1]), "two entries for an attempt");
        self.history.entries.iter().map(|entry| entry.answered.clone()).collect()
    }

    /// The number of requests that were refused in this way.
    pub(crate) fn refused(&self, refused: Refused) -> u64 {
        self.history.refusals.of(refused).map_or(0, |tally| tally.count)
    }

    /// Asserts that a request was received and answered within these times of the history.
    #[track_caller]
    pub(crate) fn assert_contains(&self, (sent_us, answered_us): (u64, u64), request: &Received) {
        let (at, answered) = (request.at, request.answered.unwrap());
        let (at_us, end_us) = (self.beginning.us(at), self.beginning.us(answered));
        assert!(sent_us <= at_us && end_us <= answered_us, "{sent_us}..{answered_us} {request:?}");
    }

    /// Asserts that the server received and answered a request of this attempt in this window.
    #[track_caller]
    pub(crate) fn assert_kept(&self, kept: &RequestWindow, server: &Scripted) {
        let requests = server.attempts().remove(&self.history.ids.request_id(kept.attempt));
        let within = |request: &&Received| {
            let answered = self.beginning.us(request.answered.unwrap());
            kept.sent_us <= self.beginning.us(request.at) && answered <= kept.answered_us
        };
        assert!(requests.unwrap().iter().any(|request| within(&request)), "{kept:?}");
    }

    /// The intended times of all samples, in order.
    pub(crate) fn intended(&self) -> Vec<Duration> {
        let mut intended: Vec<_> = self.samples.iter().filter_map(|s| s.intended).collect();
        intended.sort();
        intended
    }
}
