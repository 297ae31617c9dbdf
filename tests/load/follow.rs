//! Who is accepted waits for the decision, and how long that takes is measured.

use std::time::Duration;

use seckill::audit::{Status, Told, Verdict, reconcile};
use seckill::ids::OrderId;
use seckill::profile::BenchFlags;
use seckill::units::Count;

use super::child::Serving;
use super::client::{Sale, TOKEN, flags};
use super::run::load;
use super::scripted::{Asked, Reply, Scripted, answer, order, queued, sold_out, won};

/// A server that accepts all, and answers questions for results as told.
fn deciding(result: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |asked| if asked.is_result { result(asked) } else { queued() })
}

fn still_queued() -> Reply {
    Reply::Bytes(answer(200, "", r#"{"status":"queued"}"#))
}

/// How long it is from the first sending of an attempt to the last answer about it, at the least.
fn least(asked: &[Asked], attempt: &Asked) -> Duration {
    let last = asked.iter().rfind(|asked| asked.is_result && asked.id == attempt.id).unwrap();
    last.at - attempt.at
}

#[test]
fn buyers_ask_until_it_is_decided_and_then_they_know() {
    let server = deciding(|asked| if asked.before < 2 { still_queued() } else { won(asked) });
    let run = load(&server.url(), "--threads 4 --loops 3 --follow");
    let counts = run.counts();
    assert_eq!((counts.followed, counts.decided, counts.follow_errors), (12, 12, 0));
    assert_eq!((run.summary.settle.count, run.summary.total), (12, 12));
    assert_eq!(run.told(), vec![Told::Accepted; 12]);
    assert_eq!(run.history.results.len(), 12);
    for (id, status) in &run.history.results {
        assert_eq!(*status, Some(Status::Won(OrderId::from_text(order(*id)))));
    }
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|asked| asked.is_result).count(), 36);
    let shortest = asked.iter().filter(|a| !a.is_result).map(|a| least(&asked, a)).min();
    // To the histogram's three digits.
    let settle_min = Duration::from_micros(run.summary.settle.min).mul_f64(1.001);
    assert!(settle_min >= shortest.unwrap(), "{settle_min:?} {shortest:?}");
}

#[test]
fn the_server_is_asked_to_hold_the_answer() {
    let server = deciding(won);
    load(&server.url(), "--follow --timeout 3s");
    let asked = server.asked();
    assert!(asked[1].head.contains("?wait=1500ms"), "half of the time-out: {}", asked[1].head);
}

#[test]
fn a_bad_answer_is_an_error_of_its_own_and_is_asked_again() {
    let server = deciding(|asked| match asked.before {
        0 => Reply::Bytes(answer(502, "", "<html>")),
        1 => Reply::Close,
        _ => won(asked),
    });
    let run = load(&server.url(), "--threads 3 --follow");
    assert_eq!((run.counts().follow_errors, run.counts().decided), (6, 3));
    assert_eq!((run.summary.errors, run.summary.settle.count), (0, 3));
}

#[test]
fn an_attempt_that_the_server_has_forgotten_is_kept_for_the_audit() {
    let gone = r#"{"status":"rejected","reason":"unknown_request_id"}"#;
    let server = deciding(move |_| Reply::Bytes(answer(404, "", gone)));
    let run = load(&server.url(), "--threads 3 --follow");
    assert_eq!((run.counts().followed, run.counts().decided), (3, 0));
    assert_eq!(run.summary.settle.count, 0);
    assert_eq!(run.history.results.len(), 3);
    assert!(run.history.results.iter().all(|(_, status)| status.is_none()));
}

#[test]
fn who_is_refused_or_knows_nothing_does_not_ask() {
    for reply in [sold_out(), Reply::Close] {
        let server = Scripted::always(reply);
        let run = load(&server.url(), "--threads 3 --follow");
        assert_eq!((run.counts().followed, server.asked().len()), (0, 3));
    }
}

#[test]
fn nobody_waits_longer_than_was_said() {
    let server = deciding(|_| still_queued());
    let run = load(&server.url(), "--threads 3 --follow --settle-timeout 200ms");
    assert_eq!((run.counts().followed, run.counts().decided), (3, 0));
    assert!(run.history.results.is_empty());
}

#[test]
fn a_real_server_tells_each_buyer_what_its_ledger_says() {
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
    let won = history.results.iter().filter(|(_, s)| matches!(s, Some(Status::Won(_)))).count();
    assert_eq!(won, 3);
    let audit = reconcile(&history, &sale.ledger(), true);
    assert_eq!(audit.verdict, Verdict::Pass, "{audit:#?}");
    // The audit looks at what was told: something else than the ledger says is found.
    let mut history = history;
    history.results[0].1 = Some(Status::Won(OrderId::from_text("of nobody")));
    assert_eq!(reconcile(&history, &sale.ledger(), true).verdict, Verdict::Fail);
}
