//! Accepted attempts are polled until decided, and the time that takes is measured.

use std::time::Duration;

use seckill::history::{Answered, ResultRead, Status};
use seckill::ids::OrderId;
use seckill::judge::{Verdict, reconcile};
use seckill::profile::BenchFlags;
use seckill::units::Count;

use super::run::load;
use crate::support::child::Serving;
use crate::support::client::{Sale, TOKEN, flags};
use crate::support::scripted::{Received, Reply, Scripted, answer, order, queued, sold_out, won};

/// A server that accepts every attempt, and answers polls with `result`.
fn deciding(result: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |request| if request.is_result { result(request) } else { queued() })
}

fn still_queued() -> Reply {
    Reply::Bytes(answer(200, "", r#"{"status":"queued"}"#))
}

/// Lower bound of the time from sending an attempt to the last answer about it.
fn least(requests: &[Received], attempt: &Received) -> Duration {
    let last =
        requests.iter().rfind(|request| request.is_result && request.id == attempt.id).unwrap();
    last.at - attempt.at
}

#[test]
fn buyers_poll_until_decided() {
    let server = deciding(|request| if request.before < 2 { still_queued() } else { won(request) });
    let run = load(&server.url(), "--threads 4 --loops 3 --follow");
    let counts = run.counts();
    assert_eq!((counts.followed, counts.decided, counts.follow_errors), (12, 12, 0));
    assert_eq!((run.summary.settle.count, run.summary.total), (12, 12));
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 12]);
    let requests = server.requests();
    // The decision, and the last result that showed none.
    assert_eq!(run.history.results.len(), 24);
    for read in &run.history.results {
        let order_id = OrderId::from_text(order(read.request_id));
        let of = |asked: &&Received| asked.is_result && asked.id == read.request_id;
        let asked: Vec<&Received> = requests.iter().filter(of).collect();
        let (at, expected) = match read.status {
            Some(Status::Queued) => (1, Status::Queued),
            _ => (2, Status::Won(order_id)),
        };
        assert_eq!(read.status, Some(expected));
        run.assert_contains((read.sent_us, read.answered_us), asked[at]);
    }
    let queued = |read: &&ResultRead| read.status == Some(Status::Queued);
    assert_eq!(run.history.results.iter().filter(queued).count(), 12);
    assert_eq!(requests.iter().filter(|request| request.is_result).count(), 36);
    let shortest = requests.iter().filter(|a| !a.is_result).map(|a| least(&requests, a)).min();
    // Within the histogram's three significant digits.
    let settle_min = Duration::from_micros(run.summary.settle.min).mul_f64(1.001);
    assert!(settle_min >= shortest.unwrap(), "{settle_min:?} {shortest:?}");
}

#[test]
fn polls_ask_for_long_polling() {
    let server = deciding(won);
    load(&server.url(), "--follow --timeout 3s");
    let requests = server.requests();
    assert!(
        requests[1].head.contains("?wait=1500ms"),
        "half of the time-out: {}",
        requests[1].head
    );
}

#[test]
fn invalid_poll_answer_is_counted_and_polled_again() {
    let server = deciding(|request| match request.before {
        0 => Reply::Bytes(answer(502, "", "<html>")),
        1 => Reply::Close,
        _ => won(request),
    });
    let run = load(&server.url(), "--threads 3 --follow");
    assert_eq!((run.counts().follow_errors, run.counts().decided), (6, 3));
    assert_eq!((run.summary.errors, run.summary.settle.count), (0, 3));
}

#[test]
fn attempt_unknown_to_the_server_is_kept_for_the_audit() {
    let gone = r#"{"status":"rejected","reason":"unknown_request"}"#;
    let server = deciding(move |_| Reply::Bytes(answer(404, "", gone)));
    let run = load(&server.url(), "--threads 3 --follow");
    assert_eq!((run.counts().followed, run.counts().decided), (3, 0));
    assert_eq!(run.summary.settle.count, 0);
    assert_eq!(run.history.results.len(), 3);
    assert!(run.history.results.iter().all(|read| read.status.is_none()));
}

/// A proxy that finds no server, or a result of another attempt, says nothing about this one.
#[test]
fn other_404_and_other_request_id_are_no_results() {
    let proxy = r#"{"status":"rejected","reason":"no_such_path"}"#;
    let server = deciding(move |request| match request.before {
        0 => Reply::Bytes(answer(404, "", "<html>")),
        1 => Reply::Bytes(answer(404, "", proxy)),
        2 => {
            let other = r#"{"status":"lost","request_id":"00000000-0000-4000-8000-000000000000"}"#;
            Reply::Bytes(answer(200, "", other))
        }
        _ => won(request),
    });
    let run = load(&server.url(), "--threads 3 --follow");
    assert_eq!((run.counts().follow_errors, run.counts().decided), (9, 3));
    assert!(run.history.results.iter().all(|read| matches!(read.status, Some(Status::Won(_)))));
}

#[test]
fn refused_and_unknown_attempts_are_not_polled() {
    for reply in [sold_out(), Reply::Close] {
        let server = Scripted::always(reply);
        let run = load(&server.url(), "--threads 3 --follow");
        assert_eq!((run.counts().followed, server.requests().len()), (0, 3));
    }
}

#[test]
fn polling_ends_at_its_time_limit() {
    let server = deciding(|_| still_queued());
    let run = load(&server.url(), "--threads 3 --follow --settle-timeout 200ms");
    assert_eq!((run.counts().followed, run.counts().decided), (3, 0));
    assert!(run.history.results.is_empty());
}

#[test]
fn polled_results_agree_with_the_ledger_of_a_real_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--admin-token", TOKEN]);
    let sale = Sale::open(&server.url, "tea", 3);
    let (threads, loops) = (Some(Count(10)), Some(Count(4)));
    let ran = sale.load(&BenchFlags { threads, loops, follow: Some(true), ..flags() }).wait();
    let (summary, history) = (ran.recorder.finish(), ran.history);
    let accepted = history.entries.len();
    assert!(accepted >= 3, "{accepted}");
    assert_eq!(summary.counts.followed, accepted as u64);
    assert_eq!(summary.counts.decided, accepted as u64);
    assert_eq!((summary.settle.count, history.results.len()), (accepted as u64, accepted));
    let results = history.results.iter().map(|read| &read.status);
    assert_eq!(results.filter(|status| matches!(status, Some(Status::Won(_)))).count(), 3);
    let audit = reconcile(&history, &sale.ledger(), true);
    assert_eq!(audit.verdict, Verdict::Pass, "{audit:#?}");
    // The audit compares polled results with the ledger, so a different result is found.
    let mut history = history;
    history.results[0].status = Some(Status::Won(OrderId::from_text("of nobody")));
    assert_eq!(reconcile(&history, &sale.ledger(), true).verdict, Verdict::Fail);
}
