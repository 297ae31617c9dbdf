//! Answers to attempts differ from the ledger.

use crate::answer::{Answer, lost, queued, refused, won};
use crate::case::Expected::{Fail, FailOrUnknown};
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup, Status};

const FALSE: &[&str] = &["answers_true"];
const AT_ONCE: Setup = Setup { at_once: true, ..SALE };

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "winners are told another order",
        expected: Fail(&["answers_true", "never_oversold"]),
        sale: AT_ONCE,
        answer: |_, post, answer| match answer.status {
            200 => won(post.id, &format!("order-{}", post.number)),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "winners are told that they lost",
        expected: Fail(&["answers_true", "sold_out_true"]),
        sale: AT_ONCE,
        answer: |_, post, answer| match answer.status {
            200 => lost(post.id, "sold_out"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "the lost are told that they won",
        expected: Fail(&["answers_true", "never_oversold"]),
        sale: Setup { per_buyer: 2, ..AT_ONCE },
        instead: |shop, post| {
            (shop.stock_left == 0).then(|| {
                super::decide(shop, post, Status::Lost("sold_out"));
                won(post.id, &format!("order-{}", post.number))
            })
        },
        ..CASE
    },
    Case {
        name: "refused ones are told that they won",
        expected: Fail(&["accepted_kept", "never_oversold"]),
        sale: AT_ONCE,
        answer: |_, post, answer| match answer.status {
            410 => won(post.id, &format!("order-{}", post.number)),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "refused ones are told that they are queued",
        expected: Fail(&["accepted_kept"]),
        sale: AT_ONCE,
        answer: |_, post, answer| match answer.status {
            410 => queued(post.id),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "all winners are told the same order",
        expected: Fail(&["answers_true", "order_ids_unique"]),
        sale: AT_ONCE,
        answer: |_, post, answer| match answer.status {
            200 => won(post.id, "tea-1-1"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "the lost are told another reason",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        instead: |shop, post| {
            (shop.stock_left == 0).then(|| {
                super::decide(shop, post, Status::Lost("sold_out"));
                lost(post.id, "already_bought")
            })
        },
        ..CASE
    },
    Case {
        name: "an order of another buyer in the ledger",
        expected: Fail(&["answers_true", "rows_sane"]),
        ledger: |_, page| {
            if page.is_after {
                page.rows[2].uid = "somebody-else".to_owned();
            }
        },
        ..CASE
    },
    Case {
        name: "two orders with their buyers exchanged",
        expected: Fail(&["answers_true", "rows_sane"]),
        ledger: |_, page| {
            if page.is_after {
                let uid = page.rows[2].uid.clone();
                page.rows[2].uid = std::mem::replace(&mut page.rows[3].uid, uid);
            }
        },
        ..CASE
    },
    Case {
        name: "an order of another item in the ledger",
        expected: Fail(&["answers_true", "rows_sane"]),
        ledger: |_, page| {
            if page.is_after {
                page.rows[2].item = "coffee".to_owned();
            }
        },
        ..CASE
    },
    Case {
        name: "accepted with the id of another attempt",
        expected: FailOrUnknown(&["answers_true", "refusals_true"]),
        answer: |_, post, answer| match answer.status {
            202 => queued(super::foreign(u128::from(post.number))),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "accepted with the status of a decision",
        expected: FailOrUnknown(&["answers_true", "refusals_true"]),
        answer: |_, _, answer| match answer.status {
            202 => Answer { status: 200, ..answer },
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "refusals with the status of a success",
        expected: FailOrUnknown(&["answers_true", "refusals_true"]),
        sale: AT_ONCE,
        answer: |_, _, answer| match answer.status {
            410 => Answer { status: 200, ..answer },
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "lost for a reason that there is not",
        expected: Fail(&["refusals_true"]),
        sale: AT_ONCE,
        answer: |_, post, answer| match answer.status {
            410 => lost(post.id, "full moon"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "refused as closed after it was accepted",
        expected: Fail(&["refusals_hold", "refusals_true"]),
        answer: |_, post, answer| match (answer.status, post.number % 3) {
            (202, 0) => refused(403, "closed"),
            _ => answer,
        },
        ..CASE
    },
];
