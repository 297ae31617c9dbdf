//! Retries, double clicks and polling combined, against a server that answers at random. The
//! history of each attempt must match what the server did with it.

use std::collections::HashMap;

use seckill::history::Answered;
use seckill::ids::RequestId;
use seckill::random::{Draw, bits};

use super::run::{Run, load};
use crate::support::scripted::{
    Received, Reply, Scripted, answer, order, queued, refused, sold_out, won,
};

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Accepted,
    Won,
    Refused,
    Nothing,
}

/// A pseudo-random reply that depends on the request only, and its meaning.
fn some_reply(seed: u64, request: &Received) -> (Reply, Means) {
    let draw = bits(seed ^ request.id.0.as_u64_pair().0, Draw::Jitter, request.before as u64);
    let garbage = || Reply::Bytes(b"no answer\r\n\r\n".to_vec());
    let last = |reply| match reply {
        Reply::Bytes(bytes) => Reply::Last(bytes),
        other => other,
    };
    let cut_off = || match queued() {
        Reply::Bytes(bytes) => Reply::Last(bytes[..bytes.len() - 1].to_vec()),
        other => other,
    };
    match draw % 12 {
        0 | 1 => (queued(), Means::Accepted),
        2 => (last(queued()), Means::Accepted),
        3 => (won(request), Means::Won),
        4 => (sold_out(), Means::Refused),
        5 => (last(sold_out()), Means::Refused),
        6 => (refused(429, "rate_limited", ""), Means::Refused),
        7 => (refused(503, "store_unavailable", ""), Means::Refused),
        8 => (Reply::Close, Means::Nothing),
        9 => (garbage(), Means::Nothing),
        10 => (cut_off(), Means::Nothing),
        _ => (Reply::Bytes(answer(500, "", "<html>")), Means::Nothing),
    }
}

/// The expected history entry of an attempt with these answers.
fn expected_entry(id: RequestId, means: &[Means]) -> Option<Answered> {
    if means.contains(&Means::Won) {
        Some(Answered::Won(Box::new(seckill::ids::OrderId::from_text(order(id)))))
    } else if means.contains(&Means::Accepted) {
        Some(Answered::Accepted)
    } else {
        means.contains(&Means::Nothing).then_some(Answered::Unknown)
    }
}

fn run(seed: u64, flags: &str) -> (Run, Scripted) {
    let server = Scripted::start(move |request| match request.is_result {
        true if request.before == 0 => Reply::Bytes(answer(503, "", "<html>")),
        true => won(request),
        false => some_reply(seed, request).0,
    });
    (load(&server.url(), flags), server)
}

#[test]
fn history_matches_what_the_server_did() {
    let models = ["--threads 8 --loops 25", "--rate 400/s --duration 500ms --max-threads 20"];
    let more = "--retry 3 --retry-backoff 1ms --retry-budget 100% --double-click 40% --follow";
    for (seed, model) in (1..).zip(models) {
        let (run, server) = run(seed, &format!("{model} {more} --seed {seed}"));
        let attempts = server.attempts();
        assert_eq!((run.sent(), attempts.len()), (200, 200));
        let total: usize = attempts.values().map(Vec::len).sum();
        assert_eq!(run.summary.total, total as u64, "every request arrived");
        let entries: HashMap<_, _> =
            run.history.entries.iter().map(|e| (e.attempt, e.answered.clone())).collect();
        assert_eq!(run.outcomes().len(), entries.len());
        let mut unusable = 0;
        for (id, requests) in &attempts {
            let means: Vec<_> =
                requests.iter().map(|request| some_reply(seed, request).1).collect();
            unusable += means.iter().filter(|means| **means == Means::Nothing).count();
            let attempt = run.history.ids.attempt(id).unwrap();
            assert_eq!(entries.get(&attempt).cloned(), expected_entry(*id, &means), "{means:?}");
        }
        assert_eq!(run.summary.errors, unusable as u64);
        let counts = run.counts();
        assert_eq!(run.summary.total, run.sent() + counts.twins + counts.retried());
        let accepted =
            run.outcomes().into_iter().filter(|outcome| *outcome != Answered::Unknown).count();
        assert_eq!((counts.followed, counts.decided), (accepted as u64, accepted as u64));
        assert_eq!((run.history.results.len(), counts.follow_errors), (accepted, accepted as u64));
    }
}
