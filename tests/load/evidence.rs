//! What the history keeps for the audit: refusals by kind, contradictory answers, and the times of
//! the requests.

use seckill::history::{Answered, Loss, Refused, Tally};

use super::run::{Run, load};
use crate::support::scripted::{Received, Reply, Scripted, answer, queued, refused, sold_out, won};

const LATER: &str = "Retry-After: 1\r\n";

/// Asserts that a tally has this many requests, and that each that it keeps was one.
#[track_caller]
fn assert_tally(run: &Run, server: &Scripted, tally: &Tally, count: u64) {
    assert_eq!((tally.count, tally.sample.len() as u64), (count, count));
    tally.kept().for_each(|kept| run.assert_kept(kept, server));
    let (first, last) = (tally.first.unwrap(), tally.last.unwrap());
    assert!(tally.sample.iter().all(|kept| kept.answered_us >= first.answered_us));
    assert!(tally.sample.iter().all(|kept| kept.sent_us <= last.sent_us));
}

#[test]
fn refusals_are_tallied_by_kind_with_their_windows() {
    let kinds = [
        (400, "bad_uid", Refused::Invalid),
        (404, "unknown_item", Refused::Invalid),
        (403, "not_open", Refused::NotOpen),
        (403, "closed", Refused::Closed),
        (409, "already_bought", Refused::AlreadyBought),
        (410, "sold_out", Refused::SoldOut),
        (422, "request_id_reused", Refused::IdReused),
        (429, "rate_limited", Refused::RateLimited),
        (503, "queue_full", Refused::Unavailable),
        (503, "store_unavailable", Refused::Unavailable),
        (503, "draining", Refused::Unavailable),
        (503, "broker_unavailable", Refused::Unavailable),
    ];
    let server = Scripted::start(move |request| {
        let (status, reason, _) = kinds[request.number % kinds.len()];
        refused(status, reason, LATER)
    });
    let run = load(&server.url(), "--threads 3 --loops 40");
    assert!(run.history.entries.is_empty(), "a refusal has no effect");
    let of = |wanted| kinds.iter().filter(|(_, _, refused)| *refused == wanted).count() as u64;
    assert_eq!(run.history.refusals.count(), 120);
    assert_eq!(run.history.refusals.iter().count(), 8);
    for (refused, tally) in run.history.refusals.iter() {
        assert_tally(&run, &server, tally, 10 * of(refused));
    }
    assert_eq!((run.history.without_retry_after.count, run.history.contradictory.count), (0, 0));
}

#[test]
fn temporary_refusal_without_retry_after_is_tallied() {
    let date = "Retry-After: Thu, 01 Jan 2026 00:00:00 GMT\r\n";
    let server = Scripted::start(move |request| match request.number % 6 {
        0 => refused(429, "rate_limited", LATER),
        1 => refused(429, "rate_limited", ""),
        2 => refused(503, "queue_full", LATER),
        3 => refused(503, "queue_full", ""),
        4 => refused(503, "draining", date),
        // A final refusal need not say when to come back.
        _ => sold_out(),
    });
    let run = load(&server.url(), "--threads 2 --loops 30");
    let counts = [Refused::RateLimited, Refused::Unavailable, Refused::SoldOut];
    assert_eq!(counts.map(|refused| run.refused(refused)), [20, 30, 10]);
    assert_tally(&run, &server, &run.history.without_retry_after, 30);
}

/// Words of the API that do not belong together, which no proxy makes up.
#[test]
fn contradictory_answer_is_tallied() {
    let other = "00000000-0000-4000-8000-000000000000";
    let bodies = [
        (200, r#"{"status":"queued"}"#.to_owned()),
        (202, r#"{"status":"won","order_id":"a"}"#.to_owned()),
        (202, r#"{"status":"lost","reason":"sold_out"}"#.to_owned()),
        (200, r#"{"status":"won"}"#.to_owned()),
        (200, r#"{"status":"lost","reason":"full moon"}"#.to_owned()),
        (409, r#"{"status":"rejected","reason":"sold_out"}"#.to_owned()),
        (409, r#"{"status":"rejected"}"#.to_owned()),
        (410, r#"{"status":"rejected","reason":"full moon"}"#.to_owned()),
        (503, r#"{"status":"rejected","reason":"sold_out"}"#.to_owned()),
        (500, r#"{"status":"rejected","reason":"sold_out"}"#.to_owned()),
        (202, format!(r#"{{"status":"queued","request_id":"{other}"}}"#)),
    ];
    for (status, body) in bodies {
        let server = Scripted::always(Reply::Bytes(answer(status, "", &body)));
        let run = load(&server.url(), "--threads 2 --loops 3");
        assert_eq!(run.outcomes(), vec![Answered::Unknown; 6], "{status} {body}");
        assert_tally(&run, &server, &run.history.contradictory, 6);
        assert_eq!(run.history.refusals.count(), 0, "{status} {body}");
    }
}

#[test]
fn answer_of_no_api_is_not_contradictory() {
    let unknown = r#"{"status":"unknown","reason":"outcome_unknown"}"#;
    let replies = [
        Reply::Bytes(answer(500, "", unknown)),
        Reply::Bytes(answer(502, "", "<html>")),
        Reply::Bytes(answer(200, "", r#"{"status":"fine"}"#)),
        Reply::Bytes(answer(503, "", r#"{"status":"rejected","reason":"full moon"}"#)),
        Reply::Bytes(b"nonsense\r\n\r\n".to_vec()),
        Reply::Close,
    ];
    for reply in replies {
        let server = Scripted::always(reply.clone());
        let run = load(&server.url(), "--threads 2 --loops 2");
        assert_eq!(run.outcomes(), vec![Answered::Unknown; 4], "{reply:?}");
        assert_eq!(run.history.contradictory, Tally::default(), "{reply:?}");
        assert_eq!(run.history.refusals.count(), 0, "{reply:?}");
    }
}

#[test]
fn window_of_an_attempt_contains_its_request() {
    let lost = r#"{"status":"lost","reason":"already_bought"}"#;
    let server = Scripted::start(move |request| match request.number % 4 {
        0 => queued(),
        1 => won(request),
        2 => Reply::Bytes(answer(200, "", lost)),
        _ => Reply::Close,
    });
    let run = load(&server.url(), "--threads 3 --loops 12");
    let attempts = server.attempts();
    assert_eq!(run.outcomes().len(), 36);
    for entry in &run.history.entries {
        let request = &attempts[&run.history.ids.request_id(entry.attempt)][0];
        run.assert_contains((entry.sent_us, entry.answered_us), request);
        assert_eq!(entry.refusal, None);
    }
    let lost = Answered::Lost(Loss::AlreadyBought);
    assert_eq!(run.outcomes().into_iter().filter(|outcome| *outcome == lost).count(), 9);
}

/// The attempt may have had its effect at any time since its first request without an answer.
#[test]
fn window_of_an_attempt_begins_with_its_first_request_that_was_not_refused() {
    let server = Scripted::start(|request| match request.before {
        0 => refused(503, "queue_full", ""),
        1 => Reply::Close,
        2 => refused(503, "queue_full", ""),
        _ => queued(),
    });
    let run = load(&server.url(), "--threads 4 --retry 3 --retry-backoff 1ms");
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 4]);
    assert_eq!(run.refused(Refused::Unavailable), 8);
    for entry in &run.history.entries {
        let requests = &server.attempts()[&run.history.ids.request_id(entry.attempt)];
        let [refused, closed, _, accepted] = &requests[..] else { panic!("{requests:?}") };
        let whole = Received { answered: accepted.answered, ..closed.clone() };
        run.assert_contains((entry.sent_us, entry.answered_us), &whole);
        let refused_us = run.beginning.us(refused.answered.unwrap());
        assert!(entry.sent_us >= refused_us, "the refused request had no effect");
        assert_eq!(entry.refusal, None, "no refusal was final");
    }
}

#[test]
fn final_refusal_of_an_attempt_with_an_effect_is_kept() {
    for first in [Reply::Close, queued()] {
        let is_queued = matches!(first, Reply::Bytes(_));
        let server = Scripted::start(move |request| match request.before {
            0 => first.clone(),
            _ => refused(422, "request_id_reused", ""),
        });
        let flags = if is_queued { "--double-click 100%" } else { "--retry 1 --retry-backoff 1ms" };
        let run = load(&server.url(), &format!("--threads 5 {flags}"));
        let answered = if is_queued { Answered::Accepted } else { Answered::Unknown };
        assert_eq!(run.outcomes(), vec![answered; 5]);
        assert_eq!(run.refused(Refused::IdReused), 5);
        for entry in &run.history.entries {
            let refusal = entry.refusal.as_deref().unwrap();
            assert_eq!(refusal.refused, Refused::IdReused);
            assert_eq!(refusal.request.attempt, entry.attempt);
            run.assert_kept(&refusal.request, &server);
            // The acceptance was answered after the refused request had been sent, if at all.
            assert!(!refusal.was_accepted);
        }
    }
}
