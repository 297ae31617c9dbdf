//! Servers that leave nothing to conclude from: they are never a pass.

use crate::answer::{Answer, failed, refused};
use crate::case::Expected::{Fail, FailOrUnknown, Refused, Unknown};
use crate::case::{CASE, Case};
use crate::server::STATUS;

const REFUSALS: &[&str] = &["refusals_true"];

pub(crate) const LIES: &[Case] = &[
    Case { name: "500 to everybody", expected: Unknown, instead: |_, _| Some(failed()), ..CASE },
    Case {
        name: "half an answer to everybody",
        expected: Unknown,
        answer: |_, _, answer| answer.cut(),
        ..CASE
    },
    Case {
        name: "no answer to anybody, and no effect",
        expected: Unknown,
        instead: |_, _| Some(failed().dropped()),
        ..CASE
    },
    Case {
        name: "garbage to everybody",
        expected: Unknown,
        instead: |_, _| Some(Answer::new(200, "<html>It works!</html>")),
        ..CASE
    },
    Case {
        name: "an empty 200 to everybody",
        expected: Unknown,
        instead: |_, _| Some(Answer::new(200, "")),
        ..CASE
    },
    Case {
        name: "301 to everybody",
        expected: Unknown,
        instead: |_, _| Some(Answer::new(301, "{}")),
        ..CASE
    },
    Case {
        name: "400 to everybody",
        expected: FailOrUnknown(REFUSALS),
        instead: |_, _| Some(refused(400, "bad_item")),
        ..CASE
    },
    Case {
        name: "404 to everybody",
        expected: FailOrUnknown(REFUSALS),
        instead: |_, _| Some(refused(404, "unknown_item")),
        ..CASE
    },
    Case {
        name: "405 to everybody",
        expected: FailOrUnknown(REFUSALS),
        instead: |_, _| Some(refused(405, "method_not_allowed")),
        ..CASE
    },
    Case {
        name: "403 closed to everybody",
        expected: FailOrUnknown(REFUSALS),
        instead: |_, _| Some(refused(403, "closed")),
        ..CASE
    },
    Case {
        name: "403 not_open to everybody",
        expected: FailOrUnknown(REFUSALS),
        instead: |_, _| Some(refused(403, "not_open")),
        ..CASE
    },
    Case {
        name: "429 to everybody",
        expected: Unknown,
        instead: |_, _| Some(refused(429, "rate_limited")),
        ..CASE
    },
    Case {
        name: "503 to everybody",
        expected: Unknown,
        instead: |_, _| Some(refused(503, "queue_full")),
        ..CASE
    },
    Case {
        name: "results without an answer",
        expected: Unknown,
        result: |_, _, _| failed(),
        ..CASE
    },
    Case {
        name: "every other result without an answer",
        expected: Unknown,
        result: |shop, question, answer| {
            let at = shop.find(question.id).unwrap_or_default();
            if at % 2 == 0 { failed() } else { answer }
        },
        ..CASE
    },
    Case {
        name: "results cut off",
        expected: Unknown,
        result: |_, _, answer| answer.cut(),
        ..CASE
    },
    Case {
        name: "ledger refused after the run",
        expected: Unknown,
        ledger: |_, page| page.status = if page.is_after { 500 } else { 200 },
        ..CASE
    },
    Case {
        name: "ledger refused before the run",
        expected: Refused,
        ledger: |_, page| page.status = if page.is_after { 200 } else { 500 },
        ..CASE
    },
    Case {
        name: "ledger with another token after the run",
        expected: Unknown,
        ledger: |_, page| page.status = if page.is_after { 403 } else { 200 },
        ..CASE
    },
    Case {
        name: "ledger cut off after the run",
        expected: Unknown,
        ledger: |_, page| page.is_cut = page.is_after,
        ..CASE
    },
    Case {
        name: "ledger whose counts are wrong",
        expected: Fail(&["rows_sane"]),
        ledger: |_, page| page.miscounted = u64::from(page.is_after),
        ..CASE
    },
    Case {
        name: "state of the sale without an answer after the load",
        expected: Unknown,
        state: |shop, state| {
            if shop.posts > 0 {
                state[STATUS] = 500.into();
            }
        },
        ..CASE
    },
    Case {
        name: "nothing decided, and the queue does not answer",
        expected: Unknown,
        is_ready: false,
        decide: |_, _| None,
        ..CASE
    },
];
