//! `--follow` polls `[result]` until an accepted attempt is decided.

use seckill::history::{Answered, Loss, Status};
use seckill::ids::OrderId;

use super::{load, ok, sent};
use crate::support::scripted::{Received, Reply, Scripted};

/// The result is asked for by the ticket in the answer to the purchase.
const SHOP: &str = r#"
[purchase]
request = "POST /orders"
json = { request_id = "{{request_id}}" }
extract = { ticket = "json /ticket" }

[[outcome]]
status = 202
is = "accepted"

[[outcome]]
status = 201
is = "won"

[result]
request = "GET /result/{{ticket}}"
headers = { x-id = "{{request_id}}" }

[[result.outcome]]
status = 200
json = { "/state" = "waiting" }
is = "queued"

[[result.outcome]]
json = { "/state" = "done" }
is = "won"
order_id = "json /order"

[[result.outcome]]
json = { "/state" = "lost" }
is = "lost"
reason = "sold_out"

[[result.outcome]]
status = 404
is = "unknown"
"#;

/// Accepts each attempt, and answers requests for its result with `result`.
fn deciding(result: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |request| match request.is_result {
        true => result(request),
        false => ok(202, "", &format!(r#"{{"ticket":"{}"}}"#, request.id)),
    })
}

fn waiting() -> Reply {
    ok(200, "", r#"{"state":"waiting"}"#)
}

#[test]
fn result_is_polled_until_the_shop_has_decided() {
    let server = deciding(|request| match (request.before, request.number % 2) {
        (0, _) => waiting(),
        (_, 0) => ok(200, "", &format!(r#"{{"state":"done","order":"o-{}"}}"#, request.id)),
        _ => ok(410, "", r#"{"state":"lost"}"#),
    });
    let run = load(&server, SHOP, "--threads 4 --loops 3 --follow");
    let counts = run.counts();
    assert_eq!((counts.followed, counts.decided, counts.follow_errors), (12, 12, 0));
    assert_eq!((run.summary.settle.count, run.summary.total), (12, 12));
    assert_eq!(run.outcomes(), vec![Answered::Accepted; 12]);
    let requests = server.requests();
    let polls = requests.iter().filter(|request| request.is_result);
    for poll in polls.clone() {
        assert_eq!(poll.header("x-id"), Some(&*poll.id.to_string()), "its own attempt's ticket");
    }
    assert_eq!(polls.count(), 24);
    for read in &run.history.results {
        let last = requests.iter().rfind(|it| it.is_result && it.id == read.request_id).unwrap();
        let decided = match last.number % 2 {
            0 => Status::Won(OrderId::from_text(format!("o-{}", read.request_id))),
            _ => Status::Lost(Loss::SoldOut),
        };
        assert!([Some(Status::Queued), Some(decided)].contains(&read.status), "{read:?}");
    }
    assert_eq!(run.history.results.len(), 24);
}

#[test]
fn result_that_the_shop_does_not_know_ends_the_polling() {
    let server = deciding(|_| ok(404, "", ""));
    let run = load(&server, SHOP, "--threads 3 --follow");
    assert_eq!((run.counts().followed, run.counts().decided), (3, 0));
    let reads: Vec<_> = run.history.results.iter().map(|read| read.status.clone()).collect();
    assert_eq!(reads, [None, None, None]);
}

#[test]
fn answer_about_a_result_that_no_outcome_matches_is_asked_for_again() {
    let server = deciding(|request| match request.before {
        0 => ok(500, "", "broken"),
        1 => ok(200, "", r#"{"state":"done"}"#),
        _ => ok(200, "", r#"{"state":"lost"}"#),
    });
    let run = load(&server, SHOP, "--threads 3 --follow");
    let counts = run.counts();
    assert_eq!((counts.followed, counts.decided, counts.follow_errors), (3, 3, 6));
    assert!(run.history.results.iter().all(|r| r.status == Some(Status::Lost(Loss::SoldOut))));
}

#[test]
fn decided_attempts_and_runs_without_follow_are_not_polled() {
    let server = Scripted::always(ok(201, "", ""));
    let run = load(&server, SHOP, "--threads 3 --follow --settle-timeout 1s");
    assert_eq!((run.counts().followed, server.requests().len()), (0, 3));
    let server = deciding(|_| waiting());
    let run = load(&server, SHOP, "--threads 3");
    assert_eq!((run.counts().followed, sent(&server, "POST /orders").len()), (0, 3));
    assert_eq!(server.requests().len(), 3);
}
