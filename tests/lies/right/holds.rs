//! Right servers that hold their orders.

use serde_json::Value;

use crate::answer::{failed, refused};
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup};

use super::without;

const PAY: &[&str] =
    &["--loops", "20", "--think", "20ms", "--pay", "60%", "--pay-after", "0s..150ms"];

/// Some pay in time, some too late, and some never; units are sold again.
const SHORT: Case = Case { load: PAY, sale: Setup { hold_ms: Some(80), ..SALE }, ..CASE };

pub(super) const RIGHT: &[Case] = &[
    Case { name: "holds orders for a short time", ..SHORT },
    Case {
        name: "holds orders for longer than the run",
        sale: Setup { hold_ms: Some(600_000), ..SALE },
        ..SHORT
    },
    Case {
        name: "holds orders that expire while the audit reads",
        load: &["--loops", "20", "--think", "50ms"],
        sale: Setup { hold_ms: Some(1_000), stock: 200, at_once: true, ..SALE },
        ..CASE
    },
    Case {
        name: "holds orders of buyers who may have two",
        load: &["--loops", "20", "--buyers", "15", "--pay", "60%", "--pay-after", "0s..150ms"],
        sale: Setup { hold_ms: Some(80), per_buyer: 2, ..SALE },
        ..CASE
    },
    Case {
        name: "holds orders, with a clock that is ahead",
        sale: Setup { hold_ms: Some(80), clock_ms: 90_000, ..SALE },
        ..SHORT
    },
    Case {
        name: "holds orders, and does not say how many",
        state: |_, state| without(state, &["held", "paid"]),
        ..SHORT
    },
    Case {
        name: "holds orders, and does not show it in results",
        result: |_, _, answer| {
            let mut body: Value = serde_json::from_str(&answer.body).unwrap();
            without(&mut body, &["order", "held_until_us"]);
            crate::answer::Answer { body: body.to_string(), ..answer }
        },
        ..SHORT
    },
    Case {
        name: "puts payments off",
        pay: |shop, at| {
            (at % 2 == 0 && shop.now_us() % 2 == 0).then(|| refused(503, "store_unavailable"))
        },
        ..SHORT
    },
    Case {
        name: "does not say whether a payment was honoured",
        pay: |shop, at| {
            (at % 3 == 0).then(|| {
                shop.pay(at);
                failed()
            })
        },
        ..SHORT
    },
];
