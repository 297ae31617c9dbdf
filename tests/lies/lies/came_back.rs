//! What is told of a sale that holds its orders, once some of them are paid for or have come back.

use serde_json::Value;

use crate::answer::{refused, sold_out};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup};

/// Some winners pay in time, and the others' orders stay held.
const SOME_PAY: Case = Case {
    expected: Fail(&["stock_reads_bounded"]),
    load: &["--loops", "20", "--think", "30ms", "--pay", "50%", "--pay-after", "0s..50ms"],
    sale: Setup { hold_ms: Some(600_000), at_once: true, ..SALE },
    ..CASE
};

/// Every winner pays too late, and goes on to buy for longer than states are apart.
const ALL_EXPIRE: Case = Case {
    load: &["--loops", "80", "--think", "50ms", "--pay", "100%", "--pay-after", "200ms..300ms"],
    sale: Setup { hold_ms: Some(100), at_once: true, ..SALE },
    ..CASE
};

/// Has a state show other numbers of orders that are held and that are paid for.
fn show(state: &mut Value, change: fn(u64, u64) -> (u64, u64)) {
    let count = |key: &str| state[key].as_u64().unwrap_or_default();
    let (held, paid) = change(count("held"), count("paid"));
    (state["held"], state["paid"]) = (held.into(), paid.into());
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "counts an order that is paid for as held",
        state: |_, state| show(state, |held, paid| (held + paid.min(1), paid.saturating_sub(1))),
        ..SOME_PAY
    },
    Case {
        name: "counts orders that are held as paid for",
        state: |_, state| show(state, |held, paid| (0, held + paid)),
        ..SOME_PAY
    },
    Case {
        name: "never sells a unit again that came back",
        expected: Fail(&["sold_out_true"]),
        instead: |shop, post| {
            let won = shop.rows.iter().filter(|row| row.has_won()).count() as u64;
            (won >= SALE.stock && !shop.knows(post)).then(sold_out)
        },
        ..ALL_EXPIRE
    },
    Case {
        name: "leaves a buyer at the limit whose order has expired",
        expected: Fail(&["refusals_true"]),
        load: &[
            "--loops",
            "40",
            "--think",
            "50ms",
            "--buyers",
            "15",
            "--pay",
            "100%",
            "--pay-after",
            "200ms..300ms",
        ],
        instead: |shop, post| {
            let has_won = shop.rows.iter().any(|row| row.uid == post.uid && row.has_won());
            (has_won && !shop.knows(post)).then(|| refused(409, "already_bought"))
        },
        sale: Setup { stock: 40, ..ALL_EXPIRE.sale },
        ..ALL_EXPIRE
    },
];
