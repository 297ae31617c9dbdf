//! States that are none, that show an impossible moment, and reasons that the API does not have.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, queued, refused};
use crate::case::Expected::{Fail, Unknown};
use crate::case::{CASE, Case};
use crate::server::STATUS;
use crate::shop::{SALE, Setup, Shop, Status};

const VIEWS: &[&str] = &["views_agree"];
const HUGE: Setup = Setup { stock: 1000, ..SALE };

/// A sale with decisions that take a second, so that winners wait when the state is read.
const SLOW: Setup = Setup { stock: 1000, delay_ms: 1_000, ..SALE };

/// A sale that accepts more attempts than can win.
const LOSERS: Setup = Setup { delay_ms: 200, ..SALE };

/// 100 attempts in 2.5 s, so that the state of the sale is read several times.
const SLOWLY: &[&str] = &["--threads", "10", "--loops", "10", "--think", "250ms"];

/// Whether this is the fourth reading of the state, during the load.
fn is_during(shop: &Shop) -> bool {
    shop.states == 3
}

/// Whether the ledger was read after the load: what is sent now is sent again.
fn is_again(shop: &Shop) -> bool {
    shop.ledgers > 1
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "the item is not known while it is on sale",
        expected: Fail(VIEWS),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if is_during(shop) {
                *state = json!({"status": "rejected", "reason": "unknown_item", STATUS: 404});
            }
        },
        ..CASE
    },
    Case {
        name: "a state without finished",
        expected: Fail(VIEWS),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if is_during(shop) {
                state.as_object_mut().unwrap().remove("finished");
            }
        },
        ..CASE
    },
    Case {
        name: "a state that is no object",
        expected: Fail(VIEWS),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if is_during(shop) {
                *state = Value::from("all is well");
            }
        },
        ..CASE
    },
    Case {
        name: "nothing queued while winners wait",
        expected: Fail(&["stock_reads_bounded"]),
        load: SLOWLY,
        sale: SLOW,
        state: |shop, state| {
            if shop.states > 1 && shop.rows.len() < 100 {
                state["queued"] = 0.into();
            }
        },
        ..CASE
    },
    Case {
        name: "an opening without the closing that other states show",
        expected: Fail(VIEWS),
        load: SLOWLY,
        sale: Setup { opens_ms: Some(-3_600_000), closes_ms: Some(3_600_000), ..HUGE },
        state: |shop, state| {
            if is_during(shop) {
                state.as_object_mut().unwrap().remove("closes_us");
            }
        },
        ..CASE
    },
    Case {
        name: "lost for no reason of the API, in the ledger",
        expected: Fail(&["rows_sane", "results_true"]),
        sale: LOSERS,
        ledger: |_, page| {
            for row in &mut page.rows {
                if let Status::Lost(reason) = &mut row.status {
                    *reason = "bad_luck";
                }
            }
        },
        ..CASE
    },
    Case {
        name: "lost for no reason of the API, in results",
        expected: Fail(&["results_true"]),
        sale: LOSERS,
        result: |_, _, answer| Answer {
            body: answer.body.replace("sold_out", "bad_luck"),
            ..answer
        },
        ..CASE
    },
    Case {
        name: "won in a result, and no order",
        expected: Fail(&["refusals_true"]),
        result: |_, _, answer| Answer { body: answer.body.replace("order_id", "number"), ..answer },
        ..CASE
    },
    Case {
        name: "a result that is refused",
        expected: Fail(&["refusals_true"]),
        result: |_, question, answer| {
            if question.number % 10 == 3 { refused(410, "sold_out") } else { answer }
        },
        ..CASE
    },
    Case {
        name: "more queued than were ever sent",
        expected: Fail(VIEWS),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if is_during(shop) {
                (state["queued"], state["finished"]) = (5_000.into(), false.into());
            }
        },
        ..CASE
    },
    Case {
        name: "queued after everybody was told a decision",
        expected: Fail(VIEWS),
        sale: Setup { at_once: true, ..HUGE },
        state: |shop, state| {
            let last = shop.rows.last().map(|row| row.due.elapsed());
            if shop.posts >= 100 && last < Some(Duration::from_millis(1_500)) {
                (state["queued"], state["finished"]) = (3.into(), false.into());
            }
        },
        ..CASE
    },
    Case {
        name: "a known attempt is put off, and not for how long",
        expected: Fail(&["refusals_true"]),
        instead: |shop, _| {
            is_again(shop).then(|| refused(503, "store_unavailable").without_retry_after())
        },
        ..CASE
    },
    Case {
        name: "lost, with an order",
        expected: Fail(&["refusals_true"]),
        sale: Setup { at_once: true, per_buyer: 9, ..SALE },
        load: &["--buyers", "thread"],
        answer: |_, _, answer| Answer { body: answer.body.replace("won", "lost"), ..answer },
        ..CASE
    },
    Case {
        name: "queued when sent again, and the decision was read as a result",
        expected: Fail(&["results_true", "ids_answered_once"]),
        instead: |shop, post| is_again(shop).then(|| queued(post.id)),
        ..CASE
    },
    Case {
        name: "the first ledger after the run has another buyer, and the second has not",
        expected: Fail(&["answers_true"]),
        ledger: |shop, page| {
            if shop.ledgers == 1 {
                page.rows[0].uid = "somebody-else".into();
            }
        },
        ..CASE
    },
    Case {
        name: "the first ledger after the run lacks an attempt, and the second has it",
        expected: Fail(&["accepted_kept", "views_agree", "stock_reads_bounded"]),
        sale: HUGE,
        ledger: |shop, page| {
            if shop.ledgers == 1 {
                page.sale["stock_left"] = (shop.stock_left + 1).into();
                page.rows.remove(0);
            }
        },
        ..CASE
    },
    Case {
        name: "accepted after the closing, and lost",
        expected: Fail(&["within_hours"]),
        load: &["--threads", "10", "--loops", "10", "--think", "400ms"],
        sale: Setup { closes_ms: Some(1_000), stock: 1, delay_ms: 300, ..SALE },
        instead: |shop, post| (post.number == 95).then(|| super::accept(shop, post)),
        ..CASE
    },
    Case {
        name: "known attempts that are sent again get no usable answer",
        expected: Unknown,
        instead: |shop, _| is_again(shop).then(|| Answer::new(200, "thanks")),
        ..CASE
    },
];
