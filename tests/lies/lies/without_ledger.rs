//! Lies that can be proved although the ledger is refused after the run.

use crate::answer::{Answer, refused, unknown_request};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::shop::{Post, SALE, Setup, Shop};

const HUGE: Setup = Setup { stock: 1000, ..SALE };

/// All attempts win at once, and nobody can read them afterwards.
const REFUSED: Case = Case {
    sale: Setup { at_once: true, ..HUGE },
    ledger: |_, page| page.status = if page.is_after { 500 } else { 200 },
    ..CASE
};

/// The same at a sale of twenty units that are held for ten minutes.
const HELD: Case =
    Case { sale: Setup { at_once: true, stock: 20, hold_ms: Some(600_000), ..SALE }, ..REFUSED };

/// Sells to whoever asks.
fn win(shop: &mut Shop, post: &Post) -> Answer {
    let order = shop.win();
    super::decide(shop, post, order)
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "more held orders than units, without a ledger",
        expected: Fail(&["never_oversold", "stock_never_negative"]),
        instead: |shop, post| (!shop.knows(post)).then(|| win(shop, post)),
        ..HELD
    },
    Case {
        name: "an unpaid order shown as paid for, without a ledger",
        expected: Fail(&["orders_end_once"]),
        result: |_, _, answer| {
            let body = answer.body.replace(r#""order":"held""#, r#""order":"paid""#);
            Answer { body, ..answer }
        },
        ..HELD
    },
    Case {
        name: "many orders for one buyer, without a ledger",
        expected: Fail(&["buyer_limit"]),
        load: &["--buyers", "10"],
        instead: |shop, post| (!shop.knows(post)).then(|| win(shop, post)),
        ..REFUSED
    },
    Case {
        name: "a negative stock, without a ledger",
        expected: Fail(&["stock_never_negative"]),
        state: |shop, state| {
            if shop.posts > 0 {
                (state["stock_left"], state["orders"]) = ((-1).into(), 1001.into());
                (state["status"], state["finished"]) = ("sold_out".into(), true.into());
            }
        },
        ..REFUSED
    },
    Case {
        name: "a state that does not add up, without a ledger",
        expected: Fail(&["stock_conserved"]),
        state: |shop, state| {
            if shop.posts > 0 {
                state["orders"] = (shop.orders() + 2).into();
            }
        },
        ..REFUSED
    },
    Case {
        name: "fewer orders than were told, without a ledger",
        expected: Fail(&["stock_reads_bounded"]),
        state: |shop, state| {
            let orders = shop.orders().saturating_sub(9);
            (state["orders"], state["stock_left"]) = (orders.into(), (1000 - orders).into());
        },
        ..REFUSED
    },
    Case {
        name: "accepted attempts without a result, without a ledger",
        expected: Fail(&["results_true", "ids_answered_once"]),
        result: |shop, question, answer| match shop.find(question.id) {
            Some(at) if at % 4 == 0 => unknown_request(),
            _ => answer,
        },
        ..REFUSED
    },
    Case {
        name: "new buyers have already bought, without a ledger",
        expected: Fail(&["refusals_true"]),
        instead: |shop, post| {
            (post.number % 10 == 3 && !shop.knows(post)).then(|| refused(409, "already_bought"))
        },
        ..REFUSED
    },
    Case {
        name: "the second half is never decided, without a ledger",
        expected: Fail(&["accepted_decided"]),
        sale: HUGE,
        decide: |shop, at| (at < 50).then(|| shop.judge(at)),
        ..REFUSED
    },
];
