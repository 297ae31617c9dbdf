//! What the answers of a described shop mean for the figures and for the history.

use seckill::history::{Answered, Loss, Refused};

use super::{PURCHASE, describe, figures, load, load_sut, ok, sent};
use crate::support::scripted::{Reply, Scripted};

/// Outcomes of all kinds, the more special ones first.
const OUTCOMES: &str = r#"
[purchase]
request = "POST /orders"
json = { request_id = "{{request_id}}" }

[[outcome]]
status = [200, 201]
json = { "/state" = "paid", "/order/id" = "*" }
is = "won"
order_id = "json /order/id"

[[outcome]]
status = 200
json = { "/state" = ["full", 0] }
is = "lost"
reason = "sold_out"

[[outcome]]
header = { location = "^/queue/" }
is = "accepted"

[[outcome]]
status = 409
text = "(?i)sold out"
is = "refused"
reason = "sold_out"

[[outcome]]
status = 409
is = "refused"
reason = "conflict"
no_effect = false

[[outcome]]
status = 400
is = "rejected"
"#;

#[test]
fn first_outcome_whose_conditions_hold_is_the_meaning() {
    let won = || Answered::Won(Box::new(seckill::ids::OrderId::from_text("A-7".to_owned())));
    let cases = [
        (ok(201, "", r#"{"state":"paid","order":{"id":"A-7"}}"#), "won", Some(won())),
        (ok(200, "", r#"{"state":"full"}"#), "lost", Some(Answered::Lost(Loss::SoldOut))),
        (ok(200, "", r#"{"state":0}"#), "lost", Some(Answered::Lost(Loss::SoldOut))),
        (ok(303, "Location: /queue/5\r\n", ""), "queued", Some(Answered::Accepted)),
        (ok(409, "", "<h1>Sold Out</h1>"), "sold_out", None),
        (ok(409, "", "deadlock"), "conflict", Some(Answered::Unknown)),
        (ok(400, "", ""), "rejected", None),
        // No outcome matches these.
        (ok(200, "", r#"{"state":"paid"}"#), "body", Some(Answered::Unknown)),
        (ok(303, "Location: /elsewhere\r\n", ""), "body", Some(Answered::Unknown)),
        (ok(500, "", ""), "http_500", Some(Answered::Unknown)),
    ];
    for (reply, word, answered) in cases {
        let server = Scripted::always(reply.clone());
        let run = load(&server, OUTCOMES, "--threads 2");
        assert_eq!((run.ended(word), run.summary.total), (2, 2), "{word} {reply:?}");
        let is_error = matches!(word, "body" | "http_500");
        assert_eq!(run.summary.errors, if is_error { 2 } else { 0 }, "{word}");
        let expected: Vec<_> = answered.into_iter().flat_map(|it| [it.clone(), it]).collect();
        assert_eq!(run.outcomes(), expected, "{word} {reply:?}");
    }
}

#[test]
fn only_a_refusal_that_promises_it_has_no_effect() {
    let server = Scripted::always(ok(409, "", "sold out"));
    let run = load(&server, OUTCOMES, "--threads 3");
    assert_eq!((run.refused(Refused::SoldOut), run.outcomes().len()), (3, 0));
    let server = Scripted::always(ok(409, "", "conflict"));
    let run = load(&server, OUTCOMES, "--threads 3");
    assert_eq!(run.history.refusals.count(), 0, "it is no refusal to hold the shop to");
    assert_eq!(run.outcomes(), vec![Answered::Unknown; 3]);
}

#[test]
fn answers_that_no_outcome_matches_are_kept_escaped_and_bounded() {
    let server = Scripted::start(|request| {
        let long = "é".repeat(1000);
        ok(500, "", &format!("{} \u{1b}[31m\r\nred\u{7}{long}", request.number % 20))
    });
    let sut = describe(PURCHASE, "");
    let run = load_sut(&server, sut.clone(), "--loops 40");
    assert_eq!((run.ended("http_500"), run.summary.errors), (40, 40));
    assert_eq!(run.outcomes(), vec![Answered::Unknown; 40]);
    let unmatched = sut.unmatched();
    assert_eq!(unmatched.len(), 5, "{unmatched:#?}");
    for (number, answer) in unmatched.iter().enumerate() {
        let expected =
            format!("no [[outcome]] has it: status 500: {number} \\u{{1b}}[31m\\r\\nred\\u{{7}}éé");
        assert!(answer.starts_with(&expected), "{answer}");
        assert!(answer.ends_with("é…") && answer.chars().count() < 280, "{answer}");
    }
    let server = Scripted::always(ok(302, "", ""));
    let sut = describe(PURCHASE, "");
    load_sut(&server, sut.clone(), "--threads 3 --loops 3");
    assert_eq!(sut.unmatched(), ["no [[outcome]] has it: status 302: "], "each is kept once");
}

/// The page of a shop, with its token at the very end.
fn page(len: usize) -> Reply {
    let token = "token=abc;";
    ok(200, "Content-Type: text/html\r\n", &(" ".repeat(len - token.len()) + token))
}

#[test]
fn long_pages_are_read_up_to_4_mebibytes() {
    let shop = "[[before]]\nrequest = \"GET /page\"\nextract = { t = \"text token=(.*);\" }\n";
    let shop = shop.to_owned() + &PURCHASE.replacen("POST /orders", "POST /orders?{{t}}", 1);
    for (len, is_read) in [(300 << 10, true), (4 << 20, true), ((4 << 20) + 1, false)] {
        let server = Scripted::start(move |request| match request.request() {
            "GET /page" => page(len),
            _ => ok(201, "", &"x".repeat(300 << 10)),
        });
        let run = load(&server, &shop, "--loops 2");
        let orders = if is_read { 2 } else { 0 };
        assert_eq!(sent(&server, "POST /orders?abc").len(), orders, "{len}");
        assert_eq!((run.ended("won"), run.ended("step")), (orders as u64, 2 - orders as u64));
        let errors = if is_read { vec![] } else { vec![("protocol".to_owned(), 2)] };
        assert_eq!(figures(&run.steps), [(0, 2, errors)], "{len}");
    }
    let server = Scripted::always(ok(201, "", &"x".repeat((4 << 20) + 1)));
    let run = load(&server, PURCHASE, "");
    assert_eq!((run.ended("protocol"), run.outcomes()), (1, vec![Answered::Unknown]));
}
