//! Payments that are refused although nothing is wrong with them, and orders whose ends nobody
//! asked for.

use serde_json::Value;

use crate::answer::{Answer, refused};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case, Question};
use crate::shop::{SALE, Setup, Shop};

/// Every winner pays in time.
const IN_TIME: Case = Case {
    expected: Fail(&["refusals_true"]),
    load: &["--pay", "100%", "--pay-after", "0s..50ms"],
    sale: Setup { hold_ms: Some(600_000), ..SALE },
    ..CASE
};

/// Nobody pays, and nothing expires.
const UNPAID: Case = Case {
    expected: Fail(&["orders_end_once"]),
    load: &[],
    sale: Setup { hold_ms: Some(600_000), ..SALE },
    ..CASE
};

/// The result of a won attempt, with its order in this state.
fn shown(answer: Answer, word: &str) -> Answer {
    let mut body: Value = serde_json::from_str(&answer.body).unwrap();
    if body["status"] == "won" {
        body["order"] = word.into();
    }
    Answer { body: body.to_string(), ..answer }
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "calls every payment malformed",
        pay: |_, _| Some(refused(400, "bad_request_id")),
        ..IN_TIME
    },
    Case {
        name: "refuses a payment as sold out",
        pay: |_, _| Some(refused(410, "sold_out")),
        ..IN_TIME
    },
    Case {
        name: "says paid with another status",
        pay: |shop, at| Some(Answer { status: 202, ..shop.pay(at) }),
        ..IN_TIME
    },
    Case {
        name: "shows an order as paid for which nobody has paid",
        result: |_, _, answer| shown(answer, "paid"),
        ..UNPAID
    },
    Case {
        name: "shows an order as cancelled that nobody has cancelled",
        result: |_, _, answer| shown(answer, "cancelled"),
        ..UNPAID
    },
    Case {
        name: "shows an order as expired minutes before its deadline",
        expected: Fail(&["deadlines_hold"]),
        result: |_, _, answer| shown(answer, "expired"),
        ..UNPAID
    },
    Case {
        name: "shows a lost attempt with an order",
        expected: Fail(&["refusals_true"]),
        result: lost_with_order,
        ..UNPAID
    },
    Case {
        name: "ends a hold early and says that it ended at its deadline",
        expected: Fail(&["deadlines_hold"]),
        load: &["--loops", "20", "--think", "30ms"],
        instead: |shop, _| {
            // Each attempt ends the order that has been held for longest.
            let at = shop.rows.iter().position(|row| row.takes_unit())?;
            let until_us = shop.rows[at].order.map(|order| order.until_us);
            shop.end(at, "expired");
            shop.rows[at].order.as_mut()?.ended_us = until_us;
            None
        },
        sale: Setup { hold_ms: Some(600_000), at_once: true, ..SALE },
        ..CASE
    },
];

fn lost_with_order(_: &mut Shop, _: &Question, answer: Answer) -> Answer {
    let mut body: Value = serde_json::from_str(&answer.body).unwrap();
    if body["status"] == "lost" {
        (body["order"], body["held_until_us"]) = ("held".into(), 5.into());
    }
    Answer { body: body.to_string(), ..answer }
}
