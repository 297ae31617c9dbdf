//! All at once: retries, double clicks and followers against a server that does anything. What the
//! history says of each attempt must be what the server did with it.

use std::collections::HashMap;

use seckill::audit::Told;
use seckill::ids::RequestId;
use seckill::random::{Draw, bits};

use super::run::{Run, load};
use super::scripted::{Asked, Reply, Scripted, answer, order, queued, refused, sold_out, won};

/// What an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Accepted,
    Won,
    Refused,
    Nothing,
}

/// Some reply, always the same to the same request, and what it tells.
fn some_reply(seed: u64, asked: &Asked) -> (Reply, Means) {
    let draw = bits(seed ^ asked.id.0.as_u64_pair().0, Draw::Jitter, asked.before as u64);
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
        3 => (won(asked), Means::Won),
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

/// What the history must say of an attempt that was answered so.
fn told(id: RequestId, means: &[Means]) -> Option<Told> {
    if means.contains(&Means::Won) {
        Some(Told::Won(Box::new(seckill::ids::OrderId::from_text(order(id)))))
    } else if means.contains(&Means::Accepted) {
        Some(Told::Accepted)
    } else {
        means.contains(&Means::Nothing).then_some(Told::Unknown)
    }
}

fn run(seed: u64, flags: &str) -> (Run, Scripted) {
    let server = Scripted::start(move |asked| match asked.is_result {
        true if asked.before == 0 => Reply::Bytes(answer(503, "", "<html>")),
        true => won(asked),
        false => some_reply(seed, asked).0,
    });
    (load(&server.url(), flags), server)
}

#[test]
fn the_history_is_what_the_server_did() {
    let models = ["--threads 8 --loops 25", "--rate 400/s --duration 500ms --max-threads 20"];
    let more = "--retry 3 --retry-backoff 1ms --retry-budget 100% --double-click 40% --follow";
    for (seed, model) in (1..).zip(models) {
        let (run, server) = run(seed, &format!("{model} {more} --seed {seed}"));
        let attempts = server.attempts();
        assert_eq!((run.sent(), attempts.len()), (200, 200));
        let asked: usize = attempts.values().map(Vec::len).sum();
        assert_eq!(run.summary.total, asked as u64, "every request came");
        let said: HashMap<_, _> =
            run.history.entries.iter().map(|e| (e.attempt, e.told.clone())).collect();
        assert_eq!(run.told().len(), said.len());
        let mut unusable = 0;
        for (id, asked) in &attempts {
            let means: Vec<_> = asked.iter().map(|asked| some_reply(seed, asked).1).collect();
            unusable += means.iter().filter(|means| **means == Means::Nothing).count();
            let attempt = run.history.ids.attempt(id).unwrap();
            assert_eq!(said.get(&attempt).cloned(), told(*id, &means), "{means:?}");
        }
        assert_eq!(run.summary.errors, unusable as u64);
        let counts = run.counts();
        assert_eq!(run.summary.total, run.sent() + counts.twins + counts.retried());
        let accepted = run.told().into_iter().filter(|told| *told != Told::Unknown).count();
        assert_eq!((counts.followed, counts.decided), (accepted as u64, accepted as u64));
        assert_eq!((run.history.results.len(), counts.follow_errors), (accepted, accepted as u64));
    }
}
