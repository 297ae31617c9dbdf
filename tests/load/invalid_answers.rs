//! Answers that no correct server gives: each is at most an error, and never ends the run.

use seckill::history::Answered;

use super::run::load;
use crate::support::scripted::{Reply, Scripted, answer, sold_out};

const SOLD_OUT: &str = r#"{"status":"rejected","reason":"sold_out"}"#;

/// Each of these is one kind of error, with an unknown outcome of the attempt.
#[test]
fn invalid_answer_is_an_error_with_unknown_outcome() {
    let other = r#"{"status":"queued","request_id":"00000000-0000-4000-8000-000000000000"}"#;
    let cut_off = answer(410, "", SOLD_OUT)[..70].to_vec();
    let cases = [
        ("protocol", Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())),
        ("protocol", Reply::Bytes(b"HTTP/1.1 410 Gone\r\nContent-Length: x\r\n\r\n".to_vec())),
        ("protocol", Reply::Bytes(vec![0; 300])),
        ("reset", Reply::Last(cut_off)),
        ("reset", Reply::Last(b"HTTP/1.1 410 Go".to_vec())),
        ("reset", Reply::Close),
        ("body", Reply::Bytes(answer(410, "", "<html>"))),
        ("body", Reply::Bytes(answer(202, "", other))),
        ("body", Reply::Bytes(answer(200, "", r#"{"status":"won"}"#))),
        ("body", Reply::Bytes(answer(410, "", r#"{"status":"rejected","reason":"full moon"}"#))),
        ("http_502", Reply::Bytes(answer(502, "", "<html>"))),
        ("http_301", Reply::Bytes(answer(301, "", r#"{"status":"moved"}"#))),
        ("body", Reply::Bytes(answer(204, "", ""))),
    ];
    for (kind, reply) in cases {
        let server = Scripted::always(reply.clone());
        let run = load(&server.url(), "--threads 2 --loops 3");
        let by_error: Vec<_> =
            run.summary.by_error.iter().map(|(kind, count)| (kind.to_string(), *count)).collect();
        assert_eq!(by_error, [(kind.to_owned(), 6)], "{reply:?}");
        assert_eq!((run.summary.total, run.sent()), (6, 6), "{reply:?}");
        assert_eq!(run.outcomes(), vec![Answered::Unknown; 6], "{reply:?}");
        assert_eq!(run.summary.latency.count, 6, "{reply:?}");
    }
}

#[test]
fn surplus_answer_only_closes_the_connection() {
    let (one, closes) = (answer(410, "", SOLD_OUT), answer(410, "Connection: close\r\n", SOLD_OUT));
    for twice in [[one.clone(), one.clone()].concat(), [one, closes].concat()] {
        let server = Scripted::always(Reply::Bytes(twice));
        let run = load(&server.url(), "--threads 3 --loops 4");
        assert_eq!((run.ended("sold_out"), run.summary.errors), (12, 0));
        assert_eq!(
            server.connections(),
            12,
            "the surplus answer would be taken for the answer to the next request"
        );
    }
}

#[test]
fn user_continues_after_an_error() {
    let server = Scripted::start(|request| match request.number % 2 {
        0 => Reply::Bytes(b"nonsense\r\n\r\n".to_vec()),
        _ => sold_out(),
    });
    let run = load(&server.url(), "--loops 10");
    assert_eq!((run.ended("protocol"), run.ended("sold_out")), (5, 5));
    assert_eq!(run.outcomes().len(), 5);
}
