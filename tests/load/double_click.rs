//! The double click: one request id, twice at once, on two connections.

use std::collections::HashMap;

use seckill::audit::Told;
use seckill::ids::RequestId;
use seckill::stats::Click;

use super::run::load;
use super::scripted::{Gate, Reply, Scripted, order, queued, refused, sold_out, won};

#[test]
fn a_server_gets_the_same_id_twice_on_two_connections() {
    let server = Scripted::always(queued());
    let run = load(&server.url(), "--threads 5 --loops 3 --double-click 100%");
    assert_eq!((run.sent(), run.counts().twins, run.summary.total), (15, 15, 30));
    assert_eq!((run.counts().began, run.counts().retried()), (30, 0));
    assert_eq!(run.told(), vec![Told::Accepted; 15]);
    let attempts = server.attempts();
    assert_eq!(attempts.len(), 15);
    for asked in attempts.values() {
        assert_eq!(asked.len(), 2);
        assert_ne!(asked[0].connection, asked[1].connection);
    }
    assert_eq!(server.connections(), 10);
}

#[test]
fn both_clicks_are_on_their_way_at_once() {
    let both = Gate::default();
    let server = Scripted::start(move |asked| {
        if asked.before == 1 {
            both.open();
        }
        both.pass();
        queued()
    });
    let run = load(&server.url(), "--double-click 100%");
    assert_eq!((run.summary.total, run.ended("queued")), (2, 2));
    assert_eq!(run.samples[0].intended, run.samples[1].intended);
}

#[test]
fn who_clicks_twice_is_the_seeds_choice() {
    let clicks = |seed: u64| -> HashMap<RequestId, usize> {
        let server = Scripted::always(queued());
        let flags = format!("--threads 8 --loops 25 --double-click 30% --seed {seed}");
        let run = load(&server.url(), &flags);
        assert_eq!(run.summary.total, 200 + run.counts().twins);
        let clicks: HashMap<_, _> =
            server.attempts().into_iter().map(|(id, asked)| (id, asked.len())).collect();
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
fn whichever_click_is_accepted_the_attempt_is() {
    let server = Scripted::start(|asked| match asked.before {
        0 => queued(),
        _ => refused(409, "request_id_reused", ""),
    });
    let run = load(&server.url(), "--threads 10 --loops 2 --double-click 100% --retry 3");
    assert_eq!(run.told(), vec![Told::Accepted; 20]);
    assert_eq!((run.ended("queued"), run.ended("request_id_reused")), (20, 20));
}

#[test]
fn no_click_is_repeated_once_one_has_an_answer() {
    for (answer, told) in [(queued(), vec![Told::Accepted; 10]), (sold_out(), vec![])] {
        let server = Scripted::start(move |asked| match asked.before {
            0 => answer.clone(),
            1 => refused(429, "rate_limited", ""),
            _ => Reply::Close,
        });
        let run = load(&server.url(), "--threads 10 --double-click 100% --retry 3");
        let counts = run.counts();
        assert_eq!((run.summary.total, counts.retried(), counts.gave_up), (20, 0, 0));
        assert_eq!(run.told(), told);
    }
}

#[test]
fn two_clicks_without_an_answer_are_one_unknown_attempt() {
    let server = Scripted::always(Reply::Close);
    let run = load(&server.url(), "--threads 4 --loops 2 --double-click 100%");
    assert_eq!(run.told(), vec![Told::Unknown; 8]);
    assert_eq!((run.summary.total, run.ended("reset")), (16, 16));
}

#[test]
fn a_decision_that_one_click_is_told_stands_and_the_retry_is_one_more_request() {
    // Both are refused for now; then it is decided.
    let server = Scripted::start(|asked| match asked.before {
        0 | 1 => refused(503, "queue_full", ""),
        _ => won(asked),
    });
    let flags = "--threads 3 --double-click 100% --retry 1 --retry-backoff 1ms";
    let run = load(&server.url(), flags);
    assert_eq!((run.summary.total, run.counts().twins, run.counts().retries[1]), (9, 3, 3));
    let again = run.samples.iter().filter(|s| matches!(s.click, Click::Again(_))).count();
    assert_eq!((again, run.counts().recovered), (3, 3));
    for entry in &run.history.entries {
        let Told::Won(won) = &entry.told else { panic!("{entry:?}") };
        assert_eq!(won.to_string(), order(run.history.ids.request_id(entry.attempt)));
    }
    assert_eq!(run.told().len(), 3);
}
