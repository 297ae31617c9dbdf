//! `sold_out` is told while there are units, or units are kept back.

use crate::answer::{lost, sold_out};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup, Status};

const FALSE: &[&str] = &["sold_out_true"];
const UNSOLD: &[&str] = &["sold_out_true", "no_unsold_stock"];

/// A sale of enough units that none is left at the end only if most attempts win.
const LARGE: Setup = Setup { stock: 40, ..SALE };

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "sold_out to 30 %, all is sold in the end",
        expected: Fail(FALSE),
        sale: LARGE,
        instead: |_, post| (post.number % 10 < 3).then(sold_out),
        ..CASE
    },
    Case {
        name: "sold_out to every other one, all is sold in the end",
        expected: Fail(FALSE),
        sale: LARGE,
        instead: |_, post| (post.number % 2 == 0).then(sold_out),
        ..CASE
    },
    Case {
        name: "sold_out to the first one alone",
        expected: Fail(FALSE),
        sale: LARGE,
        instead: |_, post| (post.number == 0).then(sold_out),
        ..CASE
    },
    Case {
        name: "sold_out to the first 20",
        expected: Fail(FALSE),
        sale: LARGE,
        instead: |_, post| (post.number < 20).then(sold_out),
        ..CASE
    },
    Case {
        name: "sold_out to everybody",
        expected: Fail(FALSE),
        instead: |_, _| Some(sold_out()),
        ..CASE
    },
    Case {
        name: "sells half, then says sold_out",
        expected: Fail(UNSOLD),
        sale: Setup { at_once: true, ..SALE },
        instead: |shop, _| (shop.orders() >= 5).then(sold_out),
        ..CASE
    },
    Case {
        name: "keeps the last unit back",
        expected: Fail(UNSOLD),
        sale: Setup { at_once: true, ..SALE },
        instead: |shop, _| (shop.stock_left <= 1).then(sold_out),
        ..CASE
    },
    Case {
        name: "counts what is queued as sold, for ever",
        expected: Fail(UNSOLD),
        load: &["--buyers", "3"],
        // Buyers come several times, so that some of the first attempts lose.
        sale: Setup { delay_ms: 300, ..SALE },
        instead: |shop, _| (shop.rows.len() >= 10).then(sold_out),
        ..CASE
    },
    Case {
        name: "loses a unit, and the counter says 0",
        expected: Fail(&["sold_out_true", "stock_conserved", "no_unsold_stock", "views_agree"]),
        sale: Setup { at_once: true, ..SALE },
        instead: |shop, _| {
            if shop.orders() == 9 {
                shop.stock_left = 0;
            }
            None
        },
        ..CASE
    },
    Case {
        name: "loses a unit, and the ledger has one less to sell",
        expected: Fail(&["sold_out_true", "terms_kept", "views_agree", "stock_conserved"]),
        sale: Setup { at_once: true, ..SALE },
        instead: |shop, _| {
            if shop.orders() == 9 {
                shop.stock_left = 0;
            }
            None
        },
        ledger: |_, page| {
            if page.is_after {
                page.sale["stock"] = 9.into();
            }
        },
        ..CASE
    },
    Case {
        name: "says sold_out until the second half of the run",
        expected: Fail(FALSE),
        instead: |_, post| (post.number < 50).then(sold_out),
        ..CASE
    },
    Case {
        name: "sells, says sold_out, and sells again",
        expected: Fail(FALSE),
        sale: LARGE,
        load: &["--loops", "20"],
        instead: |_, post| (20..40).contains(&post.number).then(sold_out),
        ..CASE
    },
    Case {
        name: "loses accepted ones as sold_out with units left",
        expected: Fail(UNSOLD),
        decide: |shop, at| match at % 2 {
            0 if shop.orders() < 5 => Some(shop.win()),
            _ => Some(Status::Lost("sold_out")),
        },
        ..CASE
    },
    Case {
        name: "loses attempts as sold_out at once with units left",
        expected: Fail(&["sold_out_true", "no_unsold_stock", "accepted_kept", "answers_true"]),
        sale: LARGE,
        instead: |_, post| (post.number % 10 < 3).then(|| lost(post.id, "sold_out")),
        ..CASE
    },
];
