//! Stopping a run: waiting users end at once, requests in flight are completed, and the history
//! contains exactly what was sent.

use std::collections::HashSet;
use std::sync::Arc;

use seckill::history::AttemptNo;
use tokio_util::sync::CancellationToken;

use super::run::{Run, load_until};
use crate::support::scripted::{
    Latch, Received, Reply, Scripted, answer, queued, refused, sold_out,
};

/// A run against a server that stops the run when it receives this request.
fn stopped_at(
    number: usize,
    flags: &str,
    script: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (Run, Scripted) {
    let stop = CancellationToken::new();
    let asks = stop.clone();
    let server = Scripted::start(move |request| {
        if request.number == number {
            asks.cancel();
        }
        script(request)
    });
    let run = load_until(&server.url(), flags, &stop, |_| {});
    assert_sent(&run, &server);
    (run, server)
}

/// Asserts that every attempt received counts as sent, and no later one does.
fn assert_sent(run: &Run, server: &Scripted) {
    let ids: HashSet<_> = server.attempts().into_keys().collect();
    assert_eq!(ids, run.sent_ids().into_iter().collect());
    for id in ids {
        let attempt = run.history.ids.attempt(&id).unwrap();
        assert!(run.history.was_sent(attempt));
    }
    for (thread, sent) in (0..).zip(&run.history.sent) {
        assert!(!run.history.was_sent(AttemptNo { thread, index: *sent }));
    }
}

#[test]
fn stop_ends_users_during_think_time_at_once() {
    let flags = "--threads 6 --loops 9 --think 1h";
    let (run, _) = stopped_at(5, flags, |_| sold_out());
    assert_eq!(run.history.sent, [1; 6]);
    assert_eq!((run.summary.total, run.summary.errors), (6, 0));
}

#[test]
fn stop_keeps_further_users_from_starting() {
    let (run, _) = stopped_at(0, "--threads 6 --ramp 6h", |_| sold_out());
    assert_eq!(run.history.sent, [1, 0, 0, 0, 0, 0]);
}

#[test]
fn stop_waits_for_requests_in_flight() {
    let latch = Arc::new(Latch::default());
    let last = 3;
    let (run, _) = stopped_at(last, "--threads 4 --loops 9", move |request| {
        // All wait until the stop has been requested.
        if request.number == last {
            latch.open();
        }
        latch.wait();
        queued()
    });
    assert_eq!((run.ended("queued"), run.summary.errors, run.sent()), (4, 0, 4));
    assert_eq!(run.outcomes().len(), 4);
}

#[test]
fn stop_cancels_a_pending_retry() {
    let later = refused(429, "rate_limited", "Retry-After: 60\r\n");
    let (run, _) = stopped_at(4, "--threads 5 --loops 9 --retry 3", move |_| later.clone());
    assert_eq!((run.summary.total, run.sent()), (5, 5));
    let counts = run.counts();
    assert_eq!((counts.retried(), counts.recovered, counts.gave_up), (0, 0, 0));
    assert!(run.outcomes().is_empty());
}

#[test]
fn stop_ends_polling() {
    let flags = "--threads 3 --loops 9 --follow --settle-timeout 5m";
    let (run, _) = stopped_at(8, flags, |request| match request.is_result {
        true => Reply::Bytes(answer(200, "", r#"{"status":"queued"}"#)),
        false => queued(),
    });
    assert_eq!((run.sent(), run.outcomes().len(), run.summary.total), (3, 3, 3));
    assert_eq!((run.counts().decided, run.history.results.len()), (0, 0));
}

#[test]
fn arrivals_due_after_the_stop_are_not_counted_as_unsent() {
    // There are enough users for every arrival, and enough arrivals that some are due while the run
    // ends: no user was missing.
    let flags = "--rate 3k/s --duration 1h --max-threads 6000";
    let (run, _) = stopped_at(400, flags, |_| sold_out());
    assert!(run.sent() > 400, "{}", run.sent());
    assert_eq!((run.summary.total, run.summary.errors), (run.sent(), 0));
    assert_eq!((run.counts().waited, run.counts().unsent), (0, 0));
}

#[test]
fn stop_drops_waiting_arrivals_and_counts_them() {
    let latch = Arc::new(Latch::default());
    let last = 3;
    // All four users are busy when the stop is requested.
    let (run, _) = stopped_at(last, "--rate 50/s --duration 1h --max-threads 4", move |request| {
        if request.number == last {
            std::thread::sleep(std::time::Duration::from_millis(200));
            latch.open();
        }
        latch.wait();
        sold_out()
    });
    assert_eq!((run.sent(), run.summary.total), (4, 4));
    assert!(run.counts().unsent >= 9, "arrivals due within 200 ms: {}", run.counts().unsent);
}

#[test]
fn stop_before_the_start_sends_nothing() {
    let stop = CancellationToken::new();
    stop.cancel();
    let plans = ["--threads 4 --loops 5", "--threads 4 --stampede", "--rate 100/s --duration 1h"];
    for flags in plans {
        let server = Scripted::always(sold_out());
        let run = load_until(&server.url(), flags, &stop, |_| {});
        assert_eq!((run.sent(), run.summary.total, server.requests().len()), (0, 0, 0), "{flags}");
    }
}
