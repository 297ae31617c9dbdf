//! The words of a state do not fit its figures, or another sale hides what became of this one.

use serde_json::Value;

use crate::answer::unknown_request;
use crate::case::Expected::{Fail, Unknown};
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup, Shop, Status};

const FALSE: &[&str] = &["views_agree"];
const HUGE: Setup = Setup { stock: 1000, ..SALE };

/// 100 attempts in 2.5 s, so that the state of the sale is read several times.
const SLOWLY: &[&str] = &["--threads", "10", "--loops", "10", "--think", "250ms"];

/// Opens a fresh sale first.
const FRESH: &[&str] = &["--stock", "30"];

/// The same with the stock that the sale has anyway.
const SAME: &[&str] = &["--stock", "10"];

/// Attempts of each load.
const ATTEMPTS: u64 = 100;

/// Whether the load is over.
fn is_over(shop: &Shop) -> bool {
    shop.posts >= ATTEMPTS
}

/// Opens a fresh sale with the epoch of the one before.
fn keep_epoch(shop: &mut Shop, opened: &mut Value) {
    shop.epoch = 1;
    opened["epoch"] = 1.into();
}

/// Shows another epoch once the load is over.
fn change_epoch_after_load(shop: &mut Shop, state: &mut Value) {
    if is_over(shop) {
        state["epoch"] = 2.into();
    }
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "open, and no unit left",
        expected: Fail(FALSE),
        state: |_, state| state["status"] = "open".into(),
        ..CASE
    },
    Case {
        name: "sold_out, and units left",
        expected: Fail(FALSE),
        sale: HUGE,
        state: |_, state| state["status"] = "sold_out".into(),
        ..CASE
    },
    Case {
        name: "finished, and units left",
        expected: Fail(FALSE),
        sale: HUGE,
        state: |_, state| state["finished"] = true.into(),
        ..CASE
    },
    Case {
        name: "never finished",
        expected: Fail(FALSE),
        state: |_, state| state["finished"] = false.into(),
        ..CASE
    },
    Case {
        name: "a fresh sale with another stock than the answer says",
        expected: Fail(&["views_agree", "stock_expected"]),
        load: FRESH,
        opened: |_, opened| opened["stock"] = 25.into(),
        ..CASE
    },
    Case {
        name: "a fresh sale with another limit than the answer says",
        expected: Fail(FALSE),
        load: FRESH,
        opened: |_, opened| opened["per_buyer"] = 3.into(),
        ..CASE
    },
    Case {
        name: "a fresh sale with another epoch than the answer says",
        expected: Fail(FALSE),
        load: FRESH,
        opened: |_, opened| opened["epoch"] = 3.into(),
        ..CASE
    },
    Case {
        name: "a fresh sale with the epoch of the one that it replaces, of which nothing was sold",
        expected: Fail(FALSE),
        load: SAME,
        opened: keep_epoch,
        ..CASE
    },
    Case {
        name: "a fresh sale with a lower epoch",
        expected: Fail(FALSE),
        load: SAME,
        state: |shop, state| {
            if shop.epoch == 1 {
                state["epoch"] = 5.into();
            }
        },
        ..CASE
    },
    Case {
        name: "a fresh sale with a closing that nobody asked for",
        expected: Fail(FALSE),
        load: SAME,
        opened: |shop, _| {
            shop.setup.closes_ms = Some(60_000);
            shop.has_lied = true;
        },
        ..CASE
    },
    Case {
        name: "a fresh sale that opens late",
        expected: Fail(FALSE),
        load: &["--stock", "10", "--loops", "60", "--think", "100ms"],
        opened: |shop, _| {
            shop.setup.opens_ms = Some(3_000);
            shop.has_lied = true;
        },
        ..CASE
    },
    Case {
        name: "a status that there is not",
        expected: Fail(FALSE),
        state: |_, state| state["status"] = "banana".into(),
        ..CASE
    },
    Case {
        name: "closed while attempts are accepted",
        expected: Fail(FALSE),
        load: SLOWLY,
        sale: HUGE,
        state: |_, state| state["status"] = "closed".into(),
        ..CASE
    },
    Case {
        name: "not open while attempts are accepted",
        expected: Fail(FALSE),
        load: SLOWLY,
        sale: HUGE,
        state: |_, state| state["status"] = "not_open".into(),
        ..CASE
    },
    Case {
        name: "a fresh sale with the epoch of the one that it replaces",
        expected: Fail(&["views_agree", "stock_reads_bounded", "stock_expected"]),
        load: FRESH,
        sale: Setup { earlier: 4, ..SALE },
        opened: keep_epoch,
        ..CASE
    },
    Case {
        name: "another epoch in the middle of the run, and the first one again",
        expected: Fail(FALSE),
        load: SLOWLY,
        state: |shop, state| {
            if (2..4).contains(&shop.states) {
                state["epoch"] = 2.into();
            }
        },
        ..CASE
    },
    Case {
        name: "another sale after the load",
        expected: Unknown,
        state: change_epoch_after_load,
        ..CASE
    },
    Case {
        name: "another sale after the load, and the accepted are forgotten",
        expected: Fail(&["accepted_kept", "ids_answered_once"]),
        state: change_epoch_after_load,
        result: |shop, _, answer| if is_over(shop) { unknown_request() } else { answer },
        ledger: |_, page| page.rows.clear(),
        ..CASE
    },
    Case {
        name: "lost as sale_replaced, of the present sale",
        expected: Fail(&["rows_sane"]),
        decide: |shop, at| match shop.judge(at) {
            Status::Lost("sold_out") => Some(Status::Lost("sale_replaced")),
            status => Some(status),
        },
        ..CASE
    },
    Case {
        name: "nothing is said to be queued, and the first ledger has it queued",
        expected: Fail(&["results_true"]),
        state: |_, state| state["queued"] = 0.into(),
        ledger: |shop, page| {
            if shop.ledgers == 1 {
                for row in page.rows.iter_mut().filter(|row| !row.has_won()) {
                    (row.status, row.decided_us) = (Status::Queued, None);
                }
            }
        },
        ..CASE
    },
];
