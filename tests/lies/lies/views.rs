//! The views of one sale do not agree.

use crate::case::Expected::{Fail, FailOrUnknown, Refused};
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup};

const FALSE: &[&str] = &["views_agree"];
const TERMS: &[&str] = &["views_agree", "terms_kept", "stock_reads_bounded", "stock_conserved"];
const BOUNDED: &[&str] = &["views_agree", "stock_reads_bounded", "stock_conserved"];
const HUGE: Setup = Setup { stock: 1000, ..SALE };

/// 60 attempts in 2 s, so that the state of the sale is read several times.
const SLOWLY: &[&str] = &["--threads", "6", "--loops", "10", "--think", "200ms"];

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "stock 10 in /result, and 20 in the ledger",
        expected: Fail(TERMS),
        sale: Setup { stock: 20, ..SALE },
        state: |_, state| state["stock"] = 10.into(),
        ..CASE
    },
    Case {
        name: "3 orders in /result, and 10 in the ledger",
        expected: Fail(BOUNDED),
        state: |_, state| {
            let orders = state["orders"].as_u64().unwrap();
            state["orders"] = orders.min(3).into();
        },
        ..CASE
    },
    Case {
        name: "units left in /result, and none in the ledger",
        expected: Fail(BOUNDED),
        state: |_, state| {
            let left = state["stock_left"].as_i64().unwrap();
            state["stock_left"] = left.max(4).into();
        },
        ..CASE
    },
    Case {
        name: "one more order in /result than in the ledger",
        expected: Fail(BOUNDED),
        state: |_, state| state["orders"] = (state["orders"].as_u64().unwrap() + 1).into(),
        ..CASE
    },
    Case {
        name: "stock that swings between 10 and 11",
        expected: Fail(TERMS),
        load: SLOWLY,
        state: |shop, state| state["stock"] = (10 + shop.states % 2).into(),
        ..CASE
    },
    Case {
        name: "stock that is larger in the middle of the run",
        expected: Fail(TERMS),
        load: SLOWLY,
        state: |shop, state| {
            if (2..4).contains(&shop.states) {
                state["stock"] = 500.into();
            }
        },
        ..CASE
    },
    Case {
        name: "units left that rise in the middle of the run",
        expected: Fail(BOUNDED),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if shop.states == 3 {
                state["stock_left"] = 999.into();
            }
        },
        ..CASE
    },
    Case {
        name: "more units left than there ever were",
        expected: Fail(BOUNDED),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if (2..4).contains(&shop.states) {
                state["stock_left"] = 2000.into();
            }
        },
        ..CASE
    },
    Case {
        name: "negative units left in the middle of the run",
        expected: Fail(&["stock_conserved", "views_agree"]),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if (2..4).contains(&shop.states) {
                state["stock_left"] = (-3).into();
            }
        },
        ..CASE
    },
    Case {
        name: "no unit left in the middle of the run, and many at its end",
        expected: Fail(BOUNDED),
        load: SLOWLY,
        sale: HUGE,
        state: |shop, state| {
            if (2..4).contains(&shop.states) {
                state["stock_left"] = 0.into();
                state["orders"] = 1000.into();
            }
        },
        ..CASE
    },
    Case {
        name: "another item in /result after the load",
        expected: FailOrUnknown(FALSE),
        state: |shop, state| {
            if shop.posts > 0 {
                state["item"] = "coffee".into();
            }
        },
        ..CASE
    },
    Case {
        name: "another item in the ledger after the run",
        expected: FailOrUnknown(TERMS),
        ledger: |_, page| {
            if page.is_after {
                page.sale["item"] = "coffee".into();
            }
        },
        ..CASE
    },
    Case {
        name: "another limit per buyer in /result",
        expected: Fail(TERMS),
        state: |_, state| state["per_buyer"] = 2.into(),
        ..CASE
    },
    Case {
        name: "another limit per buyer after the run",
        expected: Fail(TERMS),
        ledger: |_, page| {
            if page.is_after {
                page.sale["per_buyer"] = 5.into();
            }
        },
        ..CASE
    },
    Case {
        name: "more stock in the ledger after the run",
        expected: Fail(TERMS),
        sale: Setup { stock: 1000, ..SALE },
        ledger: |shop, page| {
            if page.is_after {
                page.sale["stock"] = 1005.into();
                page.sale["stock_left"] = (shop.stock_left + 5).into();
            }
        },
        ..CASE
    },
    Case {
        name: "another closing in the ledger than in /result",
        expected: Fail(TERMS),
        sale: Setup { closes_ms: Some(3_600_000), ..SALE },
        state: |_, state| state["closes_us"] = (state["closes_us"].as_u64().unwrap() + 7).into(),
        ..CASE
    },
    Case {
        name: "another opening after the run",
        expected: Fail(&["views_agree", "terms_kept", "within_hours"]),
        sale: Setup { opens_ms: Some(-3_600_000), ..SALE },
        state: |shop, state| {
            if shop.posts > 0 {
                state["opens_us"] = (state["opens_us"].as_u64().unwrap() - 1_000_000).into();
            }
        },
        ..CASE
    },
    Case {
        name: "another sale in /result than in the ledger",
        expected: Refused,
        state: |_, state| state["epoch"] = 3.into(),
        ..CASE
    },
    Case {
        name: "the queue grows after the load",
        expected: Fail(BOUNDED),
        sale: Setup { delay_ms: 1_500, ..HUGE },
        state: |shop, state| {
            let queued = shop.queued();
            // All were sent at once.
            if shop.posts >= 100 && queued > 0 {
                state["queued"] = (queued.saturating_sub(shop.states % 2 * 60)).into();
            }
        },
        ..CASE
    },
    Case {
        name: "attempts are decided in the ledger, and queued for ever in states",
        expected: Fail(FALSE),
        state: |shop, state| {
            if shop.posts > 0 {
                state["queued"] = (shop.queued() + 2).into();
                state["finished"] = false.into();
            }
        },
        ..CASE
    },
];
