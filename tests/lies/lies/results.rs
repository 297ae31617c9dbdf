//! `GET /result/{request_id}` does not say what became of the attempt.

use crate::answer::{Answer, failed, lost, queued, unknown_request, won};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case, Question};
use crate::shop::{SALE, Setup, Shop};

const FALSE: &[&str] = &["results_true"];
const AT_ONCE: Setup = Setup { at_once: true, ..SALE };

/// The opposite of the truth about a decided attempt.
fn opposite(shop: &Shop, question: &Question, answer: Answer) -> Answer {
    match shop.row(question.id) {
        Some(row) if row.has_won() => lost(question.id, "sold_out"),
        Some(_) => won(question.id, "tea-1-1"),
        None => answer,
    }
}

fn is_order(shop: &Shop, question: &Question) -> bool {
    shop.row(question.id).is_some_and(|row| row.has_won())
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "500 for the first results, then the opposite",
        expected: Fail(FALSE),
        result: |shop, question, answer| match question.number {
            0..5 => failed(),
            _ => opposite(shop, question, answer),
        },
        ..CASE
    },
    Case {
        name: "won told to refused attempts",
        expected: Fail(&["results_true", "never_oversold"]),
        sale: AT_ONCE,
        result: |shop, question, answer| match shop.row(question.id) {
            None => won(question.id, &format!("order-{}", question.number)),
            Some(_) => answer,
        },
        ..CASE
    },
    Case {
        name: "the truth at the first read, the opposite later",
        expected: Fail(FALSE),
        result: |shop, question, answer| match question.before {
            0 => answer,
            _ => opposite(shop, question, answer),
        },
        ..CASE
    },
    Case {
        name: "the opposite at the first read, the truth later",
        expected: Fail(FALSE),
        result: |shop, question, answer| match question.before {
            0 => opposite(shop, question, answer),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "how the sale stands instead of the result",
        expected: Fail(FALSE),
        result: |shop, question, answer| match shop.stock_left {
            0 => lost(question.id, "sold_out"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "winners stay queued for ever",
        expected: Fail(FALSE),
        result: |shop, question, answer| match is_order(shop, question) {
            true => Answer { status: 200, ..queued(question.id) },
            false => answer,
        },
        ..CASE
    },
    Case {
        name: "winners stay queued for ever, and the load goes on after the last unit",
        expected: Fail(FALSE),
        load: &["--think", "100ms", "--loops", "30"],
        result: |shop, question, answer| match is_order(shop, question) {
            true => Answer { status: 200, ..queued(question.id) },
            false => answer,
        },
        ..CASE
    },
    Case {
        name: "another order than the ledger's",
        expected: Fail(FALSE),
        result: |shop, question, answer| match is_order(shop, question) {
            true => won(question.id, &format!("other-{}", question.number)),
            false => answer,
        },
        ..CASE
    },
    Case {
        name: "accepted attempts are not known",
        expected: Fail(FALSE),
        result: |_, _, _| unknown_request(),
        ..CASE
    },
    Case {
        name: "one winner of ten is told lost",
        expected: Fail(FALSE),
        result: |shop, question, answer| match is_order(shop, question) {
            true if shop.rows[3].id == question.id => lost(question.id, "sold_out"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "the lost are told won",
        expected: Fail(&["results_true", "never_oversold"]),
        sale: Setup { delay_ms: 500, ..SALE },
        result: |shop, question, answer| match shop.row(question.id) {
            Some(row) if !row.has_won() => won(question.id, &format!("tea-2-{}", question.number)),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "another reason than the ledger's",
        expected: Fail(FALSE),
        sale: Setup { delay_ms: 500, ..SALE },
        result: |shop, question, answer| match shop.row(question.id) {
            Some(row) if !row.has_won() => lost(question.id, "already_bought"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "the truth only to clients that are no buyers",
        expected: Fail(FALSE),
        result: |shop, question, answer| match question.has_accept {
            true => answer,
            false => opposite(shop, question, answer),
        },
        ..CASE
    },
    Case {
        name: "the truth only to those who do not wait",
        expected: Fail(FALSE),
        result: |shop, question, answer| match question.may_wait {
            false => answer,
            true => opposite(shop, question, answer),
        },
        ..CASE
    },
    Case {
        name: "the opposite to buyers who follow, the truth to the auditor",
        expected: Fail(&["results_true", "answers_true"]),
        load: &["--follow"],
        result: |shop, question, answer| match shop.posts {
            0..100 => opposite(shop, question, answer),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "the truth to buyers who follow, the opposite to the auditor",
        expected: Fail(&["results_true", "answers_true"]),
        load: &["--follow"],
        result: |shop, question, answer| match question.before {
            0 => answer,
            _ => opposite(shop, question, answer),
        },
        ..CASE
    },
    Case {
        name: "results of unanswered attempts are queued after the ledger had them as lost",
        expected: Fail(&["results_true", "ids_answered_once", "stock_reads_bounded"]),
        instead: |shop, post| Some(super::accept(shop, post)),
        answer: |_, post, answer| if post.number % 20 == 17 { answer.dropped() } else { answer },
        result: |shop, question, answer| match shop.row(question.id) {
            Some(row) if row.seq % 20 == 17 => Answer { status: 200, ..queued(row.id) },
            _ => answer,
        },
        ..CASE
    },
];
