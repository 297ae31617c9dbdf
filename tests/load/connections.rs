//! Connections are kept as long as the server keeps them, and reopened without an error.

use std::time::Duration;

use seckill::stats::ErrorKind;

use super::run::load;
use crate::support::scripted::{Reply, Scripted, answer, sold_out};

const SOLD_OUT: &str = r#"{"status":"rejected","reason":"sold_out"}"#;

#[test]
fn user_reuses_its_connection() {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), "--threads 6 --loops 20");
    assert_eq!((run.summary.total, run.summary.errors), (120, 0));
    assert_eq!(run.summary.connect.count, 6);
    assert_eq!(server.connections(), 6);
}

#[test]
fn without_keep_alive_each_request_opens_a_connection() {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), "--threads 6 --loops 10 --no-keepalive");
    assert_eq!((run.summary.total, run.summary.errors, run.summary.connect.count), (60, 0, 60));
    assert!(server.requests().iter().all(|request| request.head.contains("Connection: close")));
    assert_eq!(server.connections(), 60);
}

#[test]
fn connection_close_header_is_respected() {
    let server = Scripted::always(Reply::Bytes(answer(410, "Connection: close\r\n", SOLD_OUT)));
    let run = load(&server.url(), "--threads 4 --loops 10");
    assert_eq!((run.summary.total, run.summary.errors), (40, 0));
    assert_eq!(server.connections(), 40);
}

#[test]
fn silent_close_after_an_answer_is_no_error() {
    let server = Scripted::always(Reply::Last(answer(410, "", SOLD_OUT)));
    for flags in ["--threads 4 --loops 25", "--threads 4 --loops 25 --think uniform:0ms..3ms"] {
        let run = load(&server.url(), flags);
        assert_eq!((run.summary.total, run.summary.errors), (100, 0), "{:?}", run.summary);
        assert_eq!(run.summary.connect.count, 100);
    }
    assert_eq!(server.connections(), 200);
}

#[test]
fn close_at_any_time_fails_only_interrupted_requests() {
    let server = Scripted::start(|request| {
        let pause = Duration::from_micros(request.number as u64 * 37 % 1_500);
        Reply::Brief(answer(410, "", SOLD_OUT), pause)
    });
    let run = load(&server.url(), "--threads 4 --loops 100");
    let reset = |kind| matches!(kind, Err(ErrorKind::Reset));
    assert!(run.samples.iter().all(|sample| sample.result.is_ok() || reset(sample.result)));
    assert_eq!(run.summary.total, 400);
    // The server answered every request that it read, and all of these answers have arrived.
    assert_eq!(run.ended("sold_out"), server.requests().len() as u64);
    let unknown = run.samples.iter().filter(|s| s.result.is_err() && s.bytes_sent > 0);
    assert_eq!(run.outcomes().len(), unknown.count());
}
