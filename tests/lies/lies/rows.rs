//! Rows of the ledger that cannot be so.

use crate::case::Expected::Fail;
use crate::case::{CASE, Case, Page};
use crate::shop::{Row, SALE, Setup, Shop, Status};

const FALSE: &[&str] = &["rows_sane"];
const EARLIER: &[&str] = &["earlier_kept", "rows_sane"];
const INVENTED: &[&str] =
    &["rows_sane", "orders_were_sent", "accepted_decided", "sold_out_true", "views_agree"];
const HOUR_US: u64 = 3_600_000_000;

/// A sale with orders from before the run.
const WITH_EARLIER: Setup = Setup { stock: 15, earlier: 5, ..SALE };

/// Adds a row that nobody made to the ledger after the run.
fn invent(shop: &mut Shop, page: &mut Page, status: Status) {
    if page.is_after {
        let at = shop.invent(super::foreign(7));
        let mut row = shop.rows.remove(at);
        row.decided_us = (status != Status::Queued).then_some(row.accepted_us);
        row.status = status;
        page.rows.push(row);
    }
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "a lost row that nobody made",
        expected: Fail(INVENTED),
        ledger: |shop, page| invent(shop, page, Status::Lost("sold_out")),
        ..CASE
    },
    Case {
        name: "a queued row that nobody made",
        expected: Fail(INVENTED),
        ledger: |shop, page| invent(shop, page, Status::Queued),
        ..CASE
    },
    Case {
        name: "an order that nobody made instead of a unit",
        expected: Fail(INVENTED),
        sale: Setup { at_once: true, ..SALE },
        instead: |shop, post| {
            if post.number == 3 {
                let at = shop.invent(super::foreign(7));
                let order = shop.win();
                shop.settle(at, order);
            }
            None
        },
        ..CASE
    },
    Case {
        name: "an earlier order belongs to somebody else",
        expected: Fail(EARLIER),
        sale: WITH_EARLIER,
        ledger: |_, page| {
            if page.is_after {
                page.rows[1].uid = "somebody-else".to_owned();
            }
        },
        ..CASE
    },
    Case {
        name: "an earlier order is gone",
        expected: Fail(&["earlier_kept", "rows_sane", "stock_conserved", "views_agree"]),
        sale: WITH_EARLIER,
        ledger: |_, page| {
            if page.is_after {
                page.rows.remove(1);
            }
        },
        ..CASE
    },
    Case {
        name: "an earlier order has another id",
        expected: Fail(EARLIER),
        sale: WITH_EARLIER,
        ledger: |_, page| {
            if page.is_after {
                page.rows[1].status = Status::Won("another".to_owned());
            }
        },
        ..CASE
    },
    Case {
        name: "an earlier order has lost, and its unit is sold again",
        expected: Fail(&["earlier_kept", "rows_sane", "never_oversold"]),
        sale: Setup { at_once: true, ..WITH_EARLIER },
        instead: |shop, post| {
            if post.number == 3 {
                shop.rows[1].status = Status::Lost("sold_out");
                shop.stock_left += 1;
            }
            None
        },
        ..CASE
    },
    Case {
        name: "an earlier row was accepted at another time",
        expected: Fail(EARLIER),
        sale: WITH_EARLIER,
        ledger: |_, page| {
            if page.is_after {
                page.rows[1].accepted_us -= 5_000_000;
            }
        },
        ..CASE
    },
    Case {
        name: "an earlier row has another place",
        expected: Fail(EARLIER),
        sale: Setup { seq_step: 10, ..WITH_EARLIER },
        ledger: |_, page| {
            if page.is_after {
                page.rows[1].seq += 1;
            }
        },
        ..CASE
    },
    Case {
        name: "decided an hour before it was accepted",
        expected: Fail(FALSE),
        ledger: |_, page| {
            if page.is_after {
                page.rows[2].decided_us = Some(page.rows[2].accepted_us - HOUR_US);
            }
        },
        ..CASE
    },
    Case {
        name: "accepted in 2001",
        expected: Fail(FALSE),
        ledger: |_, page| {
            if page.is_after {
                page.rows[2].accepted_us = 1_000_000_000_000_000;
            }
        },
        ..CASE
    },
    Case {
        name: "all accepted and decided in 2001",
        expected: Fail(FALSE),
        ledger: |_, page| {
            for row in &mut page.rows {
                row.accepted_us = 1_000_000_000_000_000 + row.seq;
                row.decided_us = Some(1_000_000_000_000_000 + row.seq);
            }
        },
        ..CASE
    },
    Case {
        name: "one accepted an hour before the others",
        expected: Fail(FALSE),
        ledger: |_, page| {
            if page.is_after {
                page.rows[0].accepted_us -= HOUR_US;
            }
        },
        ..CASE
    },
    Case {
        name: "decided in the far future",
        expected: Fail(FALSE),
        ledger: |_, page| {
            if page.is_after {
                page.rows[2].decided_us = Some(4_000_000_000_000_000);
            }
        },
        ..CASE
    },
    Case {
        name: "two rows have exchanged their places",
        expected: Fail(FALSE),
        ledger: |_, page| {
            if page.is_after {
                page.rows.swap(2, 5);
            }
        },
        ..CASE
    },
    Case {
        name: "two rows have the same place",
        expected: Fail(FALSE),
        ledger: |_, page| {
            if page.is_after {
                page.rows[3].seq = page.rows[2].seq;
            }
        },
        ..CASE
    },
    Case {
        name: "a lost row twice",
        expected: Fail(&["request_ids_unique", "rows_sane"]),
        sale: Setup { delay_ms: 500, ..SALE },
        ledger: |_, page| {
            if page.is_after {
                let mut row = page.rows[page.rows.len() - 1].clone();
                row.seq += 1;
                page.rows.push(row);
            }
        },
        ..CASE
    },
    Case {
        name: "an order twice",
        expected: Fail(&[
            "request_ids_unique",
            "order_ids_unique",
            "never_oversold",
            "stock_conserved",
            "buyer_limit",
            "rows_sane",
            "views_agree",
        ]),
        ledger: |_, page| {
            if page.is_after {
                let mut row = page.rows[2].clone();
                row.seq += 1000;
                page.rows.push(row);
            }
        },
        ..CASE
    },
    Case {
        name: "an accepted attempt that lost is not in the ledger",
        expected: Fail(&["accepted_kept", "results_true"]),
        sale: Setup { delay_ms: 500, ..SALE },
        ledger: |_, page| {
            if page.is_after {
                page.rows.pop();
            }
        },
        ..CASE
    },
    Case {
        name: "an order is not in the ledger",
        expected: Fail(&["accepted_kept", "results_true", "stock_conserved", "views_agree"]),
        ledger: |_, page| {
            if page.is_after {
                page.rows.remove(3);
            }
        },
        ..CASE
    },
    Case {
        name: "refused attempts are in the ledger as lost",
        expected: Fail(&["refusals_hold", "rows_sane"]),
        sale: Setup { at_once: true, ..SALE },
        answer: |shop, post, answer| {
            if answer.status == 410 {
                super::decide(shop, post, Status::Lost("sold_out"));
            }
            answer
        },
        ..CASE
    },
    Case {
        name: "refused attempts have orders",
        expected: Fail(&["refusals_hold", "rows_sane", "sold_out_true"]),
        sale: Setup { stock: 50, at_once: true, ..SALE },
        answer: |_, post, answer| match (answer.status, post.number % 3) {
            (200, 0) => crate::answer::refused(503, "queue_full"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "two orders have the same id",
        expected: Fail(&["order_ids_unique", "results_true"]),
        ledger: |_, page| {
            if page.is_after {
                page.rows[2].status = page.rows[3].status.clone();
            }
        },
        ..CASE
    },
    Case {
        name: "a queued row though nothing is queued",
        expected: Fail(&[
            "accepted_decided",
            "rows_sane",
            "results_true",
            "stock_conserved",
            "views_agree",
        ]),
        sale: Setup { delay_ms: 500, ..SALE },
        ledger: |_, page| {
            if page.is_after
                && let Some(row) = page.rows.last_mut()
            {
                row.decided_us = None;
                row.status = Status::Queued;
            }
        },
        ..CASE
    },
    Case {
        name: "an attempt of before the run loses as its sale is replaced",
        expected: Fail(FALSE),
        sale: Setup { seq_step: 2, ..WITH_EARLIER },
        state: |shop, state| state["queued"] = (shop.queued() + u64::from(shop.posts == 0)).into(),
        ledger: |shop, page| {
            let earlier = Row {
                id: super::foreign(1),
                uid: "another".into(),
                seq: 1,
                ..page.rows[0].clone()
            };
            let status = if page.is_after { Status::Lost("sale_replaced") } else { Status::Queued };
            let decided_us = page.is_after.then(|| shop.now_us());
            page.rows.insert(1, Row { status, decided_us, ..earlier });
        },
        ..CASE
    },
];
