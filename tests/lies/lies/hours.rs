//! Attempts are accepted outside the hours of the sale.

use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup};

const FALSE: &[&str] = &["within_hours"];
const HOUR_MS: i64 = 3_600_000;

/// 60 attempts in 1.5 s.
const SLOWLY: &[&str] = &["--threads", "6", "--loops", "10", "--think", "150ms"];

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "sells an hour before the opening",
        expected: Fail(FALSE),
        sale: Setup { opens_ms: Some(HOUR_MS), ..SALE },
        instead: |shop, post| (shop.stock_left > 0).then(|| super::accept(shop, post)),
        ..CASE
    },
    Case {
        name: "sells an hour after the closing",
        expected: Fail(FALSE),
        sale: Setup { opens_ms: Some(-2 * HOUR_MS), closes_ms: Some(-HOUR_MS), ..SALE },
        instead: |shop, post| (shop.stock_left > 0).then(|| super::accept(shop, post)),
        ..CASE
    },
    Case {
        name: "sells to a few before the opening",
        expected: Fail(FALSE),
        sale: Setup { opens_ms: Some(HOUR_MS), ..SALE },
        instead: |shop, post| (post.number < 3).then(|| super::accept(shop, post)),
        ..CASE
    },
    Case {
        name: "goes on selling to a few after the closing",
        expected: Fail(FALSE),
        load: SLOWLY,
        sale: Setup { stock: 100, closes_ms: Some(800), ..SALE },
        instead: |shop, post| (post.number % 3 == 0).then(|| super::accept(shop, post)),
        ..CASE
    },
    Case {
        name: "begins to sell too early",
        expected: Fail(FALSE),
        load: SLOWLY,
        sale: Setup { stock: 100, opens_ms: Some(10_000), ..SALE },
        instead: |shop, post| (post.number % 3 == 0).then(|| super::accept(shop, post)),
        ..CASE
    },
];
