//! One id is answered in several ways.

use crate::answer::{failed, lost, queued, refused, sold_out, won};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::shop::{Post, SALE, Setup, Shop, Status};

const AT_ONCE: Setup = Setup { stock: 1000, at_once: true, ..SALE };
const RETRY: &[&str] = &["--retry", "2", "--retry-backoff", "10ms"];
const TWICE: &[&str] = &["--double-click", "50%"];
const FALSE: &[&str] = &["ids_answered_once", "sold_out_true", "refusals_true"];

/// Whether the first answer to this attempt is to fail.
fn is_unlucky(post: &Post) -> bool {
    post.before == 0 && post.number % 10 == 3
}

/// Whether this is the retry of an accepted attempt.
fn is_again(shop: &Shop, post: &Post) -> bool {
    post.before > 0 && shop.knows(post)
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "first try cut after it won, retry told sold_out",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(sold_out),
        answer: |_, post, answer| if is_unlucky(post) { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "first try failed after it won, retry told sold_out",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(sold_out),
        answer: |_, post, answer| if is_unlucky(post) { failed() } else { answer },
        ..CASE
    },
    Case {
        name: "first try cut after it won the last units, retry told sold_out",
        expected: Fail(FALSE),
        sale: Setup { at_once: true, ..SALE },
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(sold_out),
        answer: |shop, post, answer| {
            if post.before == 0 && shop.row(post.id).is_some_and(|row| row.has_won()) {
                answer.cut()
            } else {
                answer
            }
        },
        ..CASE
    },
    Case {
        name: "retry of an order told already_bought",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(|| refused(409, "already_bought")),
        answer: |_, post, answer| if is_unlucky(post) { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "retry of an order told request_id_reused",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(|| refused(422, "request_id_reused")),
        answer: |_, post, answer| if is_unlucky(post) { answer.dropped() } else { answer },
        ..CASE
    },
    Case {
        name: "retry of an order told bad_request_id",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(|| refused(400, "bad_request_id")),
        answer: |_, post, answer| if is_unlucky(post) { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "retry of an order told closed",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(|| refused(403, "closed")),
        answer: |_, post, answer| if is_unlucky(post) { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "second of a double click told request_id_reused",
        expected: Fail(FALSE),
        sale: AT_ONCE,
        load: TWICE,
        instead: |shop, post| is_again(shop, post).then(|| refused(422, "request_id_reused")),
        ..CASE
    },
    Case {
        name: "retry told lost, and the ledger has won",
        expected: Fail(&["answers_true", "ids_answered_once", "sold_out_true"]),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(|| lost(post.id, "sold_out")),
        answer: |_, post, answer| if is_unlucky(post) { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "retry told another order",
        expected: Fail(&["answers_true", "ids_answered_once"]),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| is_again(shop, post).then(|| won(post.id, "tea-9-9")),
        answer: |_, post, answer| if is_unlucky(post) { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "twins of a double click told different decisions",
        expected: Fail(&["answers_true", "ids_answered_once", "sold_out_true"]),
        sale: AT_ONCE,
        load: TWICE,
        instead: |shop, post| is_again(shop, post).then(|| lost(post.id, "sold_out")),
        ..CASE
    },
    Case {
        name: "a double click gets two orders",
        expected: Fail(&["request_ids_unique", "buyer_limit", "answers_true", "results_true"]),
        sale: AT_ONCE,
        load: TWICE,
        instead: |shop, post| {
            is_again(shop, post).then(|| {
                let at = shop.accept(post.id, &post.uid);
                let order = shop.win();
                shop.settle(at, order.clone());
                let Status::Won(order) = order else { return sold_out() };
                won(post.id, &order)
            })
        },
        ..CASE
    },
    Case {
        name: "a retry loses beside its own order",
        expected: Fail(&["request_ids_unique", "answers_true", "results_true", "no_unsold_stock"]),
        sale: AT_ONCE,
        load: RETRY,
        instead: |shop, post| {
            is_again(shop, post).then(|| {
                let at = shop.accept(post.id, &post.uid);
                shop.settle(at, Status::Lost("already_bought"));
                lost(post.id, "already_bought")
            })
        },
        answer: |_, post, answer| if is_unlucky(post) { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "known attempts are told sold_out after the sale",
        expected: Fail(FALSE),
        instead: |shop, post| is_again(shop, post).then(sold_out),
        ..CASE
    },
    Case {
        name: "known attempts are told request_id_reused after the sale",
        expected: Fail(FALSE),
        instead: |shop, post| is_again(shop, post).then(|| refused(422, "request_id_reused")),
        ..CASE
    },
    Case {
        name: "losers that ask again after the sale are told that they have won",
        expected: Fail(&["results_true", "ids_answered_once", "never_oversold"]),
        instead: |shop, post| is_again(shop, post).then(|| won(post.id, "tea-9-9")),
        ..CASE
    },
    Case {
        name: "winners that ask again after the sale get a second order",
        expected: Fail(&[
            "request_ids_unique",
            "buyer_limit",
            "ids_answered_once",
            "results_true",
            "stock_reads_bounded",
            "views_agree",
        ]),
        sale: Setup { stock: 1000, ..SALE },
        instead: |shop, post| {
            is_again(shop, post).then(|| {
                let at = shop.accept(post.id, &post.uid);
                let order = shop.win();
                shop.settle(at, order);
                queued(post.id)
            })
        },
        ..CASE
    },
];
