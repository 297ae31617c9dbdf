//! More is sold than there is, or to one buyer, or units are kept back from accepted attempts.

use crate::answer::{Answer, lost, sold_out, won};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case, Page};
use crate::shop::{Post, SALE, Setup, Shop, Status};

const UNSOLD: &[&str] = &["no_unsold_stock", "sold_out_true"];
const AT_ONCE: Setup = Setup { at_once: true, ..SALE };

/// Fails after the run.
fn fails_afterwards(_: &mut Shop, page: &mut Page) {
    page.status = if page.is_after { 500 } else { 200 };
}

/// Sells five units more than there are, without counting them.
fn oversell(shop: &mut Shop, post: &Post) -> Option<Answer> {
    (shop.stock_left == 0 && shop.orders() < 15).then(|| super::sell_uncounted(shop, post))
}

/// Leaves the orders above the stock out.
fn hide(_: &mut Shop, page: &mut Page) {
    page.rows.truncate(10);
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "sells 15 of 10, and the counter stays at 0",
        expected: Fail(&[
            "never_oversold",
            "stock_conserved",
            "views_agree",
            "stock_reads_bounded",
        ]),
        sale: AT_ONCE,
        instead: oversell,
        ..CASE
    },
    Case {
        name: "sells 15 of 10, and the counter is negative",
        expected: Fail(&["never_oversold", "stock_never_negative", "stock_reads_bounded"]),
        sale: AT_ONCE,
        instead: |shop, post| {
            let order = shop.win();
            (shop.orders() < 15).then(|| super::decide(shop, post, order))
        },
        ..CASE
    },
    Case {
        name: "sells 11 of 10",
        expected: Fail(&[
            "never_oversold",
            "stock_conserved",
            "views_agree",
            "stock_reads_bounded",
        ]),
        sale: AT_ONCE,
        instead: |shop, post| (shop.orders() == 10).then(|| super::sell_uncounted(shop, post)),
        ..CASE
    },
    Case {
        name: "oversells, and hides the rest from the ledger",
        expected: Fail(&["never_oversold", "accepted_kept", "results_true", "views_agree"]),
        sale: AT_ONCE,
        instead: oversell,
        ledger: hide,
        state: |_, state| state["orders"] = 10.min(state["orders"].as_u64().unwrap()).into(),
        ..CASE
    },
    Case {
        name: "oversells, and says lost in the ledger",
        expected: Fail(&["never_oversold", "answers_true", "results_true", "stock_conserved"]),
        sale: AT_ONCE,
        instead: oversell,
        ledger: |_, page| {
            page.rows.iter_mut().skip(10).for_each(|row| row.status = Status::Lost("sold_out"));
        },
        ..CASE
    },
    Case {
        name: "oversells, and the ledger fails afterwards",
        expected: Fail(&[
            "never_oversold",
            "views_agree",
            "stock_reads_bounded",
            "stock_conserved",
        ]),
        sale: AT_ONCE,
        instead: oversell,
        ledger: fails_afterwards,
        ..CASE
    },
    Case {
        name: "oversells in its results, and the ledger fails afterwards",
        expected: Fail(&[
            "never_oversold",
            "stock_never_negative",
            "views_agree",
            "stock_reads_bounded",
            "stock_conserved",
        ]),
        sale: Setup { delay_ms: 500, ..SALE },
        decide: |shop, _| Some(shop.win()),
        ledger: fails_afterwards,
        ..CASE
    },
    Case {
        name: "one order for two buyers, and the ledger fails afterwards",
        expected: Fail(&["order_ids_unique"]),
        sale: AT_ONCE,
        decide: |shop, at| match shop.judge(at) {
            Status::Won(_) => Some(Status::Won(format!("tea-1-{}", shop.made / 2))),
            status => Some(status),
        },
        ledger: fails_afterwards,
        ..CASE
    },
    Case {
        name: "other results than answers, and the ledger fails afterwards",
        expected: Fail(&["ids_answered_once"]),
        sale: AT_ONCE,
        result: |_, question, answer| match answer.body.contains("won") {
            true => lost(question.id, "sold_out"),
            false => answer,
        },
        ledger: fails_afterwards,
        ..CASE
    },
    Case {
        name: "sold out after three orders, and the ledger fails afterwards",
        expected: Fail(&["sold_out_true", "stock_conserved", "views_agree"]),
        sale: AT_ONCE,
        instead: |shop, _| (shop.orders() >= 3).then(sold_out),
        ledger: fails_afterwards,
        ..CASE
    },
    Case {
        name: "oversells, and names another sale afterwards",
        expected: Fail(&["views_agree"]),
        sale: AT_ONCE,
        instead: oversell,
        state: |shop, state| {
            if shop.posts > 90 {
                state["epoch"] = 2.into();
                state["stock_left"] = 10.into();
                state["orders"] = 0.into();
            }
        },
        ledger: |_, page| {
            if page.is_after {
                page.rows.clear();
                page.sale["epoch"] = 2.into();
                page.sale["stock_left"] = 10.into();
            }
        },
        ..CASE
    },
    Case {
        name: "oversells with order ids that are used twice",
        expected: Fail(&["never_oversold", "order_ids_unique", "stock_conserved", "views_agree"]),
        sale: AT_ONCE,
        instead: |shop, post| {
            (shop.stock_left == 0 && shop.orders() < 15).then(|| {
                let order = format!("tea-1-{}", shop.orders() - 9);
                let answer = super::decide(shop, post, Status::Won(order));
                shop.stock_left = 0;
                answer
            })
        },
        ..CASE
    },
    Case {
        name: "tells 15 buyers of 10 orders that they won",
        expected: Fail(&["never_oversold", "accepted_kept", "answers_true"]),
        sale: AT_ONCE,
        answer: |_, post, answer| match answer.status {
            410 if post.number < 30 => won(post.id, &format!("extra-{}", post.number)),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "sells buyers more than one unit",
        expected: Fail(&["buyer_limit"]),
        load: &["--buyers", "4"],
        sale: AT_ONCE,
        instead: |shop, post| {
            (shop.stock_left > 0).then(|| {
                let order = shop.win();
                super::decide(shop, post, order)
            })
        },
        ..CASE
    },
    Case {
        name: "sells one buyer three units of two",
        expected: Fail(&["buyer_limit"]),
        load: &["--buyers", "4"],
        sale: Setup { stock: 100, per_buyer: 2, at_once: true, ..SALE },
        instead: |shop, post| {
            (shop.orders_of(&post.uid) < 3).then(|| {
                let order = shop.win();
                super::decide(shop, post, order)
            })
        },
        ..CASE
    },
    Case {
        name: "the counter in the ledger is one too high",
        expected: Fail(&["stock_conserved", "views_agree", "no_unsold_stock"]),
        ledger: |shop, page| page.sale["stock_left"] = (shop.stock_left + 1).into(),
        ..CASE
    },
    Case {
        name: "the counter in the ledger is negative",
        expected: Fail(&["stock_never_negative", "stock_conserved", "views_agree"]),
        ledger: |_, page| {
            if page.is_after {
                page.sale["stock_left"] = (-1).into();
            }
        },
        ..CASE
    },
    Case {
        name: "accepted buyers lose as already_bought, and units are left",
        expected: Fail(&["no_unsold_stock", "rows_sane"]),
        decide: |shop, _| {
            Some(match shop.orders() {
                0..5 => shop.win(),
                _ => Status::Lost("already_bought"),
            })
        },
        ..CASE
    },
    Case {
        name: "accepted buyers lose as sale_replaced, and units are left",
        expected: Fail(&["no_unsold_stock", "rows_sane"]),
        decide: |shop, _| {
            Some(match shop.orders() {
                0..5 => shop.win(),
                _ => Status::Lost("sale_replaced"),
            })
        },
        ..CASE
    },
    Case {
        name: "nobody wins",
        expected: Fail(UNSOLD),
        decide: |_, _| Some(Status::Lost("sold_out")),
        ..CASE
    },
    Case {
        name: "one loser of many could have had the last unit",
        expected: Fail(UNSOLD),
        sale: Setup { stock: 100, ..SALE },
        decide: |shop, at| {
            Some(match at {
                50 => Status::Lost("sold_out"),
                _ => shop.win(),
            })
        },
        ..CASE
    },
];
