//! The double click sends one request id twice at once, on two connections.

use std::collections::HashMap;

use seckill::history::Answered;
use seckill::ids::RequestId;
use seckill::stats::Click;

use super::run::load;
use crate::support::scripted::{Latch, Reply, Scripted, order, queued, refused, sold_out, won};

#[test]
fn double_click_sends_one_id_on_two_connections() {
    let server = Scripted::always(queued());
    let run = load(&server.url(), "--threads 5 --loops 3 --double-click 100%");
    assert_eq!((run.sent(), run.counts().twins, run.summary.total), (15, 15, 30));
    assert_eq!((run.counts().began, run.counts().retried()), (30, 0));
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 15]);
    let attempts = server.attempts();
    assert_eq!(attempts.len(), 15);
    for requests in attempts.values() {
        assert_eq!(requests.len(), 2);
        assert_ne!(requests[0].connection, requests[1].connection);
    }
    assert_eq!(server.connections(), 10);
}

#[test]
fn both_clicks_are_in_flight_together() {
    let both = Latch::default();
    let server = Scripted::start(move |request| {
        if request.before == 1 {
            both.open();
        }
        both.wait();
        queued()
    });
    let run = load(&server.url(), "--double-click 100%");
    assert_eq!((run.summary.total, run.ended("queued")), (2, 2));
    assert_eq!(run.samples[0].intended, run.samples[1].intended);
}

#[test]
fn seed_determines_double_clicks() {
    let clicks = |seed: u64| -> HashMap<RequestId, usize> {
        let server = Scripted::always(queued());
        let flags = format!("--threads 8 --loops 25 --double-click 30% --seed {seed}");
        let run = load(&server.url(), &flags);
        assert_eq!(run.summary.total, 200 + run.counts().twins);
        let clicks: HashMap<_, _> =
            server.attempts().into_iter().map(|(id, requests)| (id, requests.len())).collect();
        let twins = clicks.values().filter(|clicks| **clicks == 2).count();
        assert_eq!(twins as u64, run.counts().twins);
        clicks
    };
    let first = clicks(5);
    assert_eq!(first, clicks(5));
    let twice = first.values().filter(|clicks| **clicks == 2).count();
    assert!((30..=90).contains(&twice), "{twice} of 200 are far from 30 %");
}

#[test]
fn attempt_is_accepted_if_either_click_is() {
    let server = Scripted::start(|request| match request.before {
        0 => queued(),
        _ => refused(422, "request_id_reused", ""),
    });
    let run = load(&server.url(), "--threads 10 --loops 2 --double-click 100% --retry 3");
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 20]);
    assert_eq!((run.ended("queued"), run.ended("request_id_reused")), (20, 20));
}

#[test]
fn no_click_is_retried_after_an_answer_to_either() {
    for (answer, outcomes) in [(queued(), vec![Answered::Accepted; 10]), (sold_out(), vec![])] {
        let server = Scripted::start(move |request| match request.before {
            0 => answer.clone(),
            1 => refused(429, "rate_limited", ""),
            _ => Reply::Close,
        });
        let run = load(&server.url(), "--threads 10 --double-click 100% --retry 3");
        let counts = run.counts();
        assert_eq!((run.summary.total, counts.retried(), counts.gave_up), (20, 0, 0));
        assert_eq!(run.outcomes(), outcomes);
    }
}

#[test]
fn double_click_without_an_answer_is_one_unknown_attempt() {
    let server = Scripted::always(Reply::Close);
    let run = load(&server.url(), "--threads 4 --loops 2 --double-click 100%");
    assert_eq!(run.outcomes(), vec![Answered::Unknown; 8]);
    assert_eq!((run.summary.total, run.ended("reset")), (16, 16));
}

#[test]
fn decision_in_one_answer_stands_and_its_retry_counts_as_a_request() {
    // Both are refused at first; then the attempt is decided.
    let server = Scripted::start(|request| match request.before {
        0 | 1 => refused(503, "queue_full", ""),
        _ => won(request),
    });
    let flags = "--threads 3 --double-click 100% --retry 1 --retry-backoff 1ms";
    let run = load(&server.url(), flags);
    assert_eq!((run.summary.total, run.counts().twins, run.counts().retries[1]), (9, 3, 3));
    let again = run.samples.iter().filter(|s| matches!(s.click, Click::Again(_))).count();
    assert_eq!((again, run.counts().recovered), (3, 3));
    for entry in &run.history.entries {
        let Answered::Won(won) = &entry.answered else { panic!("{entry:?}") };
        assert_eq!(won.to_string(), order(run.history.ids.request_id(entry.attempt)));
    }
    assert_eq!(run.outcomes().len(), 3);
}
