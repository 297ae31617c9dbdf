//! Warm-up attempts appear in no figure, but completely in the history.

use std::time::Duration;

use seckill::history::{Answered, Refused};

use super::run::load;
use crate::support::scripted::{Scripted, queued, refused, sold_out, won};

#[test]
fn warm_up_attempts_are_in_the_history_but_in_no_figure() {
    let server = Scripted::always(queued());
    let run = load(&server.url(), "--rate 100/s --duration 1s --warmup 400ms");
    assert_eq!((run.summary.total, run.counts().warmup, run.sent()), (60, 40, 100));
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 100]);
    assert!(run.intended()[0] >= Duration::from_millis(400));
    let summary = &run.summary;
    let counts = [&summary.latency, &summary.corrected, &summary.lag, &summary.first_byte];
    assert_eq!(counts.map(|quantiles| quantiles.count), [60; 4]);
    assert_eq!((run.ended("queued"), run.counts().began), (60, 60));
    assert_eq!(server.attempts().len(), 100);
}

/// All users begin at once within the warm-up, so their later requests belong to it too.
const FIRST_CLICKS: &str = "--threads 3 --warmup 500ms --duration 1h --loops 1";

#[test]
fn retry_of_a_warm_up_attempt_belongs_to_the_warm_up() {
    // The retries are sent after the warm-up.
    let later = refused(429, "rate_limited", "Retry-After: 1\r\n");
    let server =
        Scripted::start(move |request| if request.before == 0 { later.clone() } else { queued() });
    let run = load(&server.url(), &format!("{FIRST_CLICKS} --retry 1"));
    assert_eq!((run.sent(), run.counts().warmup, run.summary.total), (3, 6, 0));
    assert_eq!((run.counts().retried(), run.counts().recovered), (0, 0));
    assert_eq!((run.counts().began, run.summary.lag.count), (0, 0));
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 3]);
}

#[test]
fn giving_up_during_warm_up_is_not_counted() {
    let server = Scripted::always(refused(429, "rate_limited", ""));
    let run = load(&server.url(), &format!("{FIRST_CLICKS} --retry 1 --retry-backoff 1ms"));
    assert_eq!((run.counts().warmup, run.counts().gave_up, run.counts().retried()), (6, 0, 0));
    assert_eq!(run.refused(Refused::RateLimited), 6, "the audit covers warm-up attempts");
    assert_eq!(run.history.without_retry_after.count, 6);
}

#[test]
fn both_clicks_of_a_warm_up_attempt_belong_to_it() {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), &format!("{FIRST_CLICKS} --double-click 100%"));
    assert_eq!((run.counts().warmup, run.counts().twins, run.summary.total), (6, 0, 0));
}

#[test]
fn accepted_warm_up_attempts_are_still_polled() {
    let server = Scripted::start(|request| if request.is_result { won(request) } else { queued() });
    let run = load(&server.url(), &format!("{FIRST_CLICKS} --follow"));
    let counts = run.counts();
    assert_eq!((counts.followed, counts.decided, run.summary.settle.count), (0, 0, 0));
    assert_eq!(run.history.results.len(), 3, "the audit covers warm-up attempts");
}
