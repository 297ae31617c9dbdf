//! States that are none, that show an impossible moment, and reasons that the API does not have.

use serde_json::{Value, json};

use crate::answer::{Answer, refused};
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
        name: "the ledger is busy, told to an attempt",
        expected: Fail(&["refusals_true"]),
        instead: |_, post| (post.number % 10 == 3).then(|| refused(503, "ledger_busy")),
        ..CASE
    },
    Case {
        name: "known attempts that are sent again get no usable answer",
        expected: Unknown,
        instead: |shop, _| is_again(shop).then(|| Answer::new(200, "thanks")),
        ..CASE
    },
];
