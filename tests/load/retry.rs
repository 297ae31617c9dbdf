//! Retries use the same id, happen after the listed outcomes only, not before the server allows it,
//! and not more often than the limit and the budget allow.

use std::net::TcpListener;
use std::time::Duration;

use seckill::history::Answered;
use seckill::load;

use super::run::load;
use crate::support::scripted::{Received, Reply, Scripted, answer, queued, refused, sold_out};

const RATE_LIMITED: usize = 0;
const UNAVAILABLE: usize = 1;
const UNKNOWN: usize = 2;
const CONNECT: usize = 3;

/// The pauses between the answer to a try and the next try, by the server's clock.
fn gaps(requests: &[Received]) -> Vec<Duration> {
    requests.windows(2).map(|pair| pair[1].at - pair[0].answered.unwrap()).collect()
}

/// A server that refuses the first tries of each attempt, and accepts the next one.
fn after(tries: usize, first: Reply) -> Scripted {
    Scripted::start(move |request| if request.before < tries { first.clone() } else { queued() })
}

#[test]
fn retry_keeps_its_id_and_respects_retry_after() {
    let server = after(1, refused(429, "rate_limited", "Retry-After: 1\r\n"));
    let run = load(&server.url(), "--threads 4 --retry 2 --retry-backoff 1ms");
    let counts = run.counts();
    assert_eq!((counts.retries[RATE_LIMITED], counts.retried()), (4, 4));
    assert_eq!((counts.recovered, counts.gave_up, counts.over_budget), (4, 0, 0));
    assert_eq!((run.summary.total, run.ended("rate_limited"), run.ended("queued")), (8, 4, 4));
    assert_eq!((run.summary.errors, run.outcomes()), (0, vec![Answered::Accepted; 4]));
    let attempts = server.attempts();
    assert_eq!(attempts.len(), 4, "every retry has its attempt's id");
    for requests in attempts.values() {
        assert_eq!(requests.len(), 2);
        assert!(gaps(requests)[0] >= Duration::from_secs(1), "{requests:?}");
    }
}

#[test]
fn backoff_doubles_with_jitter_of_up_to_half() {
    let server = after(3, refused(503, "queue_full", ""));
    let run = load(&server.url(), "--threads 3 --retry 3 --retry-backoff 40ms");
    assert_eq!((run.counts().retries[UNAVAILABLE], run.counts().recovered), (9, 3));
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 3]);
    for requests in server.attempts().values() {
        let least = [20, 40, 80].map(Duration::from_millis);
        assert!(gaps(requests).iter().zip(least).all(|(gap, least)| *gap >= least), "{requests:?}");
    }
    // A retry is scheduled by its pause; without that, its lag could not be measured.
    assert_eq!(run.summary.lag.count, 12);
}

#[test]
fn unknown_outcome_is_retried_on_a_new_connection() {
    let server = after(1, Reply::Close);
    let run = load(&server.url(), "--threads 5 --retry 1 --retry-backoff 1ms");
    assert_eq!((run.counts().retries[UNKNOWN], run.counts().recovered), (5, 5));
    assert_eq!((run.ended("reset"), run.ended("queued"), run.summary.errors), (5, 5, 5));
    assert_eq!(
        run.outcomes(),
        vec![Answered::Accepted; 5],
        "what is accepted is no longer unknown"
    );
    for requests in server.attempts().values() {
        assert_ne!(requests[0].connection, requests[1].connection);
    }
}

#[test]
fn refused_retry_leaves_the_first_try_unknown() {
    let server =
        Scripted::start(|request| if request.before == 0 { Reply::Close } else { sold_out() });
    let run = load(&server.url(), "--threads 3 --retry 1 --retry-backoff 1ms");
    assert_eq!(run.outcomes(), vec![Answered::Unknown; 3]);
    assert_eq!(run.counts().recovered, 3, "the buyer has an answer");
}

#[test]
fn status_500_is_an_unknown_outcome() {
    let body = r#"{"status":"unknown","reason":"outcome_unknown"}"#;
    let server = after(1, Reply::Bytes(answer(500, "", body)));
    let run = load(&server.url(), "--threads 2 --retry 1 --retry-backoff 1ms");
    assert_eq!((run.counts().retries[UNKNOWN], run.ended("http_500")), (2, 2));
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 2]);
}

#[test]
fn retries_per_attempt_are_bounded() {
    let server = Scripted::always(refused(429, "rate_limited", ""));
    let run = load(&server.url(), "--threads 2 --loops 2 --retry 2 --retry-backoff 1ms");
    assert_eq!((run.sent(), run.counts().retried(), run.counts().gave_up), (4, 8, 4));
    assert_eq!((run.counts().recovered, run.counts().over_budget), (0, 0));
    assert!(server.attempts().values().all(|request| request.len() == 3));
    assert!(run.outcomes().is_empty(), "a refusal has no effect");
}

#[test]
fn retry_budget_begins_with_ten_retries_per_worker() {
    let workers = load::workers(4) as u64;
    let server = Scripted::always(refused(429, "rate_limited", ""));
    let flags = "--threads 4 --loops 15 --retry 1 --retry-backoff 0s --retry-budget 0%";
    let run = load(&server.url(), flags);
    assert_eq!((run.sent(), run.counts().retried()), (60, 10 * workers));
    assert_eq!(run.counts().gave_up, 10 * workers);
    assert_eq!(run.counts().over_budget, 60 - 10 * workers);
}

#[test]
fn retry_budget_grows_with_the_attempts() {
    let workers = load::workers(4) as u64;
    let server = Scripted::always(refused(429, "rate_limited", ""));
    let flags = "--threads 4 --loops 100 --retry 1 --retry-backoff 0s --retry-budget 50%";
    let run = load(&server.url(), flags);
    let retried = run.counts().retried();
    assert!(retried <= 10 * workers + 200 && retried >= 200, "{retried} of 400");
    assert_eq!(run.counts().over_budget, 400 - retried);
}

#[test]
fn only_listed_outcomes_are_retried() {
    let cases = [
        ("503,unknown,connect", refused(429, "rate_limited", "")),
        ("429,unknown,connect", refused(503, "draining", "")),
        ("429,503,connect", Reply::Close),
        ("429,503,unknown,connect", sold_out()),
        ("429,503,unknown,connect", queued()),
    ];
    for (on, reply) in cases {
        let server = Scripted::always(reply.clone());
        let run = load(&server.url(), &format!("--threads 2 --retry 5 --retry-on {on}"));
        assert_eq!((run.summary.total, run.counts().retried()), (2, 0), "{on} {reply:?}");
        assert_eq!((run.counts().gave_up, run.counts().recovered), (0, 0), "{on} {reply:?}");
    }
}

#[test]
fn retry_after_beyond_the_limit_gives_up() {
    let server = Scripted::always(refused(429, "rate_limited", "Retry-After: 61\r\n"));
    let run = load(&server.url(), "--threads 2 --retry 5");
    assert_eq!((run.summary.total, run.counts().gave_up), (2, 2));
}

#[test]
fn retry_that_fails_for_another_reason_is_not_a_recovery() {
    let limited = refused(429, "rate_limited", "");
    let server = Scripted::start(
        move |request| if request.before == 0 { limited.clone() } else { Reply::Close },
    );
    let run = load(&server.url(), "--threads 3 --retry 2 --retry-on 429 --retry-backoff 1ms");
    assert_eq!((run.counts().retries[RATE_LIMITED], run.ended("reset")), (3, 3));
    assert_eq!(run.counts().recovered, 0);
    assert_eq!(run.outcomes(), vec![Answered::Unknown; 3]);
}

#[test]
fn refused_connections_have_no_effect() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let flags = "--threads 3 --retry 2 --retry-backoff 1ms --retry-on";
    let run = load(&format!("http://{closed}"), &format!("{flags} connect"));
    assert_eq!((run.sent(), run.summary.total, run.ended("connect_refused")), (3, 9, 9));
    assert_eq!((run.counts().retries[CONNECT], run.counts().gave_up), (6, 3));
    assert!(run.outcomes().is_empty());
    let run = load(&format!("http://{closed}"), &format!("{flags} 429,503,unknown"));
    assert_eq!((run.summary.total, run.counts().retried()), (3, 0));
}
