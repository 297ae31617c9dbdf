//! The open model: every arrival is sent at its intended time, or as soon as a user is free.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use seckill::ids::RequestId;
use seckill::load::Arrivals;
use seckill::profile::{Arrival, Levels};
use tokio_util::sync::CancellationToken;

use super::run::{Run, load, load_until};
use crate::support::scripted::{Latch, Reply, Scripted, sold_out};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A run against a sold-out server, and the ids that the server received.
fn against_sold_out(flags: &str) -> (Run, HashSet<RequestId>) {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), flags);
    let ids = server.attempts().into_keys().collect();
    (run, ids)
}

#[test]
fn rate_schedules_the_stated_number_of_attempts() {
    let (run, ids) = against_sold_out("--rate 100/s --duration 1500ms");
    assert_eq!((run.summary.total, run.sent(), ids.len()), (150, 150, 150));
    assert_eq!(ids, run.sent_ids().into_iter().collect());
    assert_eq!(run.intended(), (0..150).map(|n| ms(10 * n)).collect::<Vec<_>>());
    assert_eq!((run.summary.lag.count, run.summary.corrected.count), (150, 150));
    assert_eq!((run.counts().unsent, run.summary.errors), (0, 0));
    assert!(
        run.samples.iter().all(|s| s.began >= s.intended.unwrap()),
        "an arrival was sent too early"
    );
}

#[test]
fn number_of_attempts_is_the_area_under_the_stages() {
    let (run, ids) = against_sold_out("--stage 400ms:200/s --stage 0s:50/s --stage 200ms:0/s");
    let stages = [(ms(400), 200.0), (ms(0), 50.0), (ms(200), 0.0)];
    let rate = Levels::new(0.0, stages);
    let arrivals = Arrivals::new(&rate, Arrival::Constant, 1, ms(600));
    let expected: Vec<_> = arrivals.map(|(_, at)| at).collect();
    // The rate rises along one triangle and falls along another.
    assert_eq!(expected.len(), 40 + 5);
    assert_eq!((run.intended(), ids.len()), (expected, 45));
}

#[test]
fn seed_determines_poisson_arrivals() {
    let poisson = |seed: u64| {
        let flags = "--rate 200/s --arrival poisson --duration 500ms --seed";
        against_sold_out(&format!("{flags} {seed}"))
    };
    let ((first, first_ids), (again, again_ids), (other, other_ids)) =
        (poisson(7), poisson(7), poisson(8));
    assert!(!first_ids.is_empty());
    assert_eq!((first.intended(), &first_ids), (again.intended(), &again_ids));
    assert_ne!(first.intended(), other.intended());
    assert!(first_ids.is_disjoint(&other_ids));
    assert_eq!(first.history.sent, again.history.sent);
}

#[test]
fn arrivals_without_a_free_user_wait_and_none_is_dropped() {
    let latch = Arc::new(Latch::default());
    let opens = Arc::clone(&latch);
    let server = Scripted::start(move |_| {
        latch.wait();
        sold_out()
    });
    // After the first second all arrivals are due, but only as many are sent as there are users.
    let flags = "--rate 20/s --duration 1s --max-threads 4";
    let run = load_until(&server.url(), flags, &CancellationToken::new(), move |second| {
        if second == 0 {
            opens.open();
        }
    });
    assert_eq!((run.summary.total, run.sent(), run.counts().unsent), (20, 20, 0));
    assert_eq!(run.counts().waited, 16);
    // They were answered after 1 s; their intended times were 0 ms, 50 ms, .., 950 ms.
    let corrected = &run.summary.corrected;
    assert!(corrected.p50 >= 499_000 && corrected.max >= 999_000, "{corrected:?}");
    let waited = |sample: &&seckill::stats::Sample| sample.intended.unwrap() >= ms(200);
    for sample in run.samples.iter().filter(waited) {
        assert!(sample.began >= ms(1000), "{sample:?}");
        assert!(sample.corrected() >= ms(1000) - sample.intended.unwrap(), "{sample:?}");
        assert_eq!(sample.latency(), sample.ended - sample.began);
    }
    assert!(server.connections() <= 4);
}

#[test]
fn unsent_arrivals_at_a_hanging_server_are_counted() {
    let server = Scripted::always(Reply::Hang);
    let run = load(&server.url(), "--rate 40/s --duration 1s --max-threads 2 --timeout 300ms");
    let unsent = run.counts().unsent;
    assert_eq!(run.sent() + unsent, 40);
    assert!(run.sent() >= 2 && unsent > 0, "{unsent}");
    assert_eq!((run.summary.total, run.ended("timeout")), (run.sent(), run.sent()));
    assert_eq!(run.outcomes().len() as u64, run.sent(), "each has an unknown outcome");
    let on_server: HashSet<_> = server.attempts().into_keys().collect();
    assert_eq!(on_server, run.sent_ids().into_iter().collect());
}

#[test]
fn users_are_started_only_when_needed() {
    let (run, _) = against_sold_out("--rate 50/s --duration 500ms --max-threads 1");
    assert!(run.samples.iter().all(|sample| sample.thread == 0));
    assert_eq!(run.summary.total, 25);
}
