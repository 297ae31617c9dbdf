//! Refusals whose reason is not true, or that do not have the form of a refusal.

use crate::answer::{Answer, refused};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::shop::{Post, SALE, Setup, Shop, Status};

const FALSE: &[&str] = &["refusals_true"];

/// More units than attempts, so that there is no true refusal.
const HUGE: Setup = Setup { stock: 1000, ..SALE };

fn to_every_tenth(post: &Post, answer: fn() -> Answer) -> Option<Answer> {
    (post.number % 10 == 3).then(answer)
}

/// Whether the buyer has attempts, all of which have lost.
fn has_only_lost(shop: &Shop, uid: &str) -> bool {
    shop.orders_of(uid) == 0 && shop.rows.iter().any(|row| row.uid == uid)
}

/// Longer than a request may take on a busy machine: without hours, only attempts that are accepted
/// before and after a refusal show that it is false.
const SLOW: &[&str] = &["--think", "100ms"];

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "already_bought to fresh buyers",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(409, "already_bought")),
        ..CASE
    },
    Case {
        name: "already_bought to everybody",
        expected: Fail(FALSE),
        instead: |_, _| Some(refused(409, "already_bought")),
        ..CASE
    },
    Case {
        name: "already_bought to those who have lost",
        expected: Fail(FALSE),
        sale: Setup { stock: 3, at_once: true, ..SALE },
        load: &["--buyers", "thread"],
        instead: |shop, post| {
            if has_only_lost(shop, &post.uid) {
                Some(refused(409, "already_bought"))
            } else if shop.stock_left == 0 {
                Some(super::decide(shop, post, Status::Lost("sold_out")))
            } else {
                None
            }
        },
        ..CASE
    },
    Case {
        name: "already_bought to buyers with one order of two",
        expected: Fail(FALSE),
        sale: Setup { stock: 1000, per_buyer: 2, at_once: true, ..SALE },
        load: &["--buyers", "thread"],
        instead: |shop, post| {
            (shop.orders_of(&post.uid) == 1).then(|| refused(409, "already_bought"))
        },
        ..CASE
    },
    Case {
        name: "closed while the sale is open",
        expected: Fail(FALSE),
        load: SLOW,
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(403, "closed")),
        ..CASE
    },
    Case {
        name: "closed long before the closing",
        expected: Fail(FALSE),
        sale: Setup { closes_ms: Some(3_600_000), ..HUGE },
        instead: |_, post| to_every_tenth(post, || refused(403, "closed")),
        ..CASE
    },
    Case {
        name: "not_open while the sale is open",
        expected: Fail(FALSE),
        load: SLOW,
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(403, "not_open")),
        ..CASE
    },
    Case {
        name: "not_open long after the opening",
        expected: Fail(FALSE),
        sale: Setup { opens_ms: Some(-3_600_000), ..HUGE },
        instead: |_, post| to_every_tenth(post, || refused(403, "not_open")),
        ..CASE
    },
    Case {
        name: "request_id_reused of a fresh id",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(422, "request_id_reused")),
        ..CASE
    },
    Case {
        name: "unknown_item of the item on sale",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(404, "unknown_item")),
        ..CASE
    },
    Case {
        name: "bad_uid of a good one",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(400, "bad_uid")),
        ..CASE
    },
    Case {
        name: "a single 400 among 100",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| (post.number == 50).then(|| refused(400, "bad_body")),
        ..CASE
    },
    Case {
        name: "body_too_large of a small one",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(413, "body_too_large")),
        ..CASE
    },
    Case {
        name: "not_json of JSON",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(415, "not_json")),
        ..CASE
    },
    Case {
        name: "503 with already_bought",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(503, "already_bought")),
        ..CASE
    },
    Case {
        name: "503 with sold_out",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(503, "sold_out")),
        ..CASE
    },
    Case {
        name: "410 with closed",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(410, "closed")),
        ..CASE
    },
    Case {
        name: "429 with queue_full",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| to_every_tenth(post, || refused(429, "queue_full")),
        ..CASE
    },
    Case {
        name: "429 without Retry-After",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| {
            to_every_tenth(post, || refused(429, "rate_limited").without_retry_after())
        },
        ..CASE
    },
    Case {
        name: "503 without Retry-After",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| {
            to_every_tenth(post, || refused(503, "queue_full").without_retry_after())
        },
        ..CASE
    },
    Case {
        name: "Retry-After with a date",
        expected: Fail(FALSE),
        sale: HUGE,
        instead: |_, post| {
            let retry_after = Some("Sun, 29 Nov 2026 08:00:00 GMT");
            to_every_tenth(post, || refused(503, "queue_full"))
                .map(|answer| Answer { retry_after, ..answer })
        },
        ..CASE
    },
];
