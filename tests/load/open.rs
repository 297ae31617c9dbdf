//! The open model: every arrival is made, at its moment or as soon as somebody is free.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use seckill::ids::RequestId;
use seckill::load::{Arrivals, Seen, Stop};
use seckill::profile::{Arrival, Levels};

use super::run::{Run, load, load_until};
use super::scripted::{Gate, Reply, Scripted, sold_out};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A run against a server that is sold out, and the ids that this saw.
fn against_sold_out(flags: &str) -> (Run, HashSet<RequestId>) {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), flags);
    let ids = server.attempts().into_keys().collect();
    (run, ids)
}

#[test]
fn a_rate_makes_as_many_attempts_as_it_says_each_with_its_moment() {
    let (run, ids) = against_sold_out("--rate 100/s --duration 1500ms");
    assert_eq!((run.summary.total, run.sent(), ids.len()), (150, 150, 150));
    assert_eq!(ids, run.sent_ids().into_iter().collect());
    assert_eq!(run.intended(), (0..150).map(|n| ms(10 * n)).collect::<Vec<_>>());
    assert_eq!((run.summary.lag.count, run.summary.corrected.count), (150, 150));
    assert_eq!((run.counts().unsent, run.summary.errors), (0, 0));
    assert!(run.samples.iter().all(|s| s.began >= s.intended.unwrap()), "one came too early");
}

#[test]
fn stages_make_the_attempts_of_their_area() {
    let (run, ids) = against_sold_out("--stage 400ms:200/s --stage 0s:50/s --stage 200ms:0/s");
    let stages = [(ms(400), 200.0), (ms(0), 50.0), (ms(200), 0.0)];
    let rate = Levels::new(0.0, stages);
    let arrivals = Arrivals::new(&rate, Arrival::Constant, 1, ms(600));
    let expected: Vec<_> = arrivals.map(|(_, at)| at).collect();
    // Up in a triangle, down in another.
    assert_eq!(expected.len(), 40 + 5);
    assert_eq!((run.intended(), ids.len()), (expected, 45));
}

#[test]
fn a_seed_makes_the_same_poisson_run_again() {
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
fn arrivals_that_find_nobody_free_wait_and_are_counted_and_none_is_dropped() {
    let gate = Arc::new(Gate::default());
    let opens = Arc::clone(&gate);
    let server = Scripted::start(move |_| {
        gate.pass();
        sold_out()
    });
    // When the first second has ended, all are due, and only as many as there are users are made.
    let flags = "--rate 20/s --duration 1s --max-threads 4";
    let run = load_until(&server.url(), flags, &Stop::default(), move |seen| {
        if matches!(seen, Seen::Second(0, _)) {
            opens.open();
        }
    });
    assert_eq!((run.summary.total, run.sent(), run.counts().unsent), (20, 20, 0));
    assert_eq!(run.counts().waited, 16);
    // They were answered after 1 s, and had wanted to begin at 0 ms, 50 ms, .., 950 ms.
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
fn what_a_server_that_hangs_leaves_unsent_is_counted() {
    let server = Scripted::always(Reply::Hang);
    let run = load(&server.url(), "--rate 40/s --duration 1s --max-threads 2 --timeout 300ms");
    let unsent = run.counts().unsent;
    assert_eq!(run.sent() + unsent, 40);
    assert!(run.sent() >= 2 && unsent > 0, "{unsent}");
    assert_eq!((run.summary.total, run.ended("timeout")), (run.sent(), run.sent()));
    assert_eq!(run.told().len() as u64, run.sent(), "of each it is unknown what came of it");
    let on_server: HashSet<_> = server.attempts().into_keys().collect();
    assert_eq!(on_server, run.sent_ids().into_iter().collect());
}

#[test]
fn there_are_no_more_users_than_are_needed() {
    let (run, _) = against_sold_out("--rate 50/s --duration 500ms --max-threads 1");
    assert!(run.samples.iter().all(|sample| sample.thread == 0));
    assert_eq!(run.summary.total, 25);
}
