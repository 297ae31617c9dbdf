//! Held orders that end twice, or otherwise than their buyers are told.

use serde_json::Value;

use crate::answer::{Answer, refused};
use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::hold::paid;
use crate::right::without;
use crate::shop::{SALE, Setup, Shop};

/// Every winner pays in time.
const IN_TIME: Case = Case {
    expected: Fail(&["orders_end_once"]),
    load: &["--pay", "100%", "--pay-after", "0s..50ms"],
    sale: Setup { hold_ms: Some(600_000), ..SALE },
    ..CASE
};

/// Every winner pays too late, while others go on to buy.
const TOO_LATE: Case = Case {
    load: &["--loops", "20", "--think", "30ms", "--pay", "100%", "--pay-after", "200ms..300ms"],
    sale: Setup { hold_ms: Some(100), ..SALE },
    ..CASE
};

/// Changes an order whatever it is.
fn set(shop: &mut Shop, at: usize, word: &'static str) {
    let now = shop.now_us();
    if let Some(order) = &mut shop.rows[at].order {
        (order.word, order.ended_us) = (word, Some(now));
    }
}

/// An answer with another body.
fn changed(answer: Answer, change: impl Fn(&mut Value)) -> Answer {
    let mut body: Value = serde_json::from_str(&answer.body).unwrap();
    change(&mut body);
    Answer { body: body.to_string(), ..answer }
}

pub(crate) const LIES: &[Case] = &[
    Case {
        name: "says that an order is paid for, and it stays held",
        pay: |shop, at| Some(paid(&shop.rows[at])),
        ..IN_TIME
    },
    Case {
        name: "says that an order is paid for, and gives it back",
        pay: |shop, at| {
            shop.end(at, "cancelled");
            Some(paid(&shop.rows[at]))
        },
        ..IN_TIME
    },
    Case {
        name: "says that an order has expired, and keeps the payment",
        expected: Fail(&["orders_end_once", "deadlines_hold"]),
        pay: |shop, at| {
            shop.end(at, "paid");
            Some(refused(409, "expired"))
        },
        ..IN_TIME
    },
    Case {
        name: "says that an order was cancelled that is held",
        pay: |_, _| Some(refused(409, "cancelled")),
        ..IN_TIME
    },
    Case {
        name: "does not know an order that was won",
        pay: |_, _| Some(refused(404, "unknown_order")),
        ..IN_TIME
    },
    Case {
        name: "lets orders expire long before their deadline",
        expected: Fail(&["deadlines_hold"]),
        pay: |shop, at| {
            shop.end(at, "expired");
            Some(refused(409, "expired"))
        },
        ..IN_TIME
    },
    Case {
        name: "shows an order as held after it was paid for",
        result: |shop, question, mut answer| {
            let is_paid = |order: crate::hold::Held| order.word == "paid";
            if shop.row(question.id).and_then(|row| row.order).is_some_and(is_paid) {
                answer.body = answer.body.replace("\"paid\"", "\"held\"");
            }
            answer
        },
        ..IN_TIME
    },
    Case {
        name: "answers a payment with a reason that belongs to no order",
        expected: Fail(&["refusals_true"]),
        pay: |_, _| Some(refused(409, "sold_out")),
        ..IN_TIME
    },
    Case {
        name: "says that another order is paid for",
        pay: |shop, at| {
            let answer = shop.pay(at);
            let body = answer.body.replace("\"tea-1-", "\"tea-2-");
            Some(Answer { body, ..answer })
        },
        ..IN_TIME
    },
    Case {
        name: "says that it was paid, and not for which order",
        pay: |shop, at| {
            let answer = shop.pay(at);
            Some(changed(answer, |body| without(body, &["order_id"])))
        },
        ..IN_TIME
    },
    Case {
        name: "shows another time in results until which an order is held",
        expected: Fail(&["results_true"]),
        result: |_, _, answer| {
            changed(answer, |body| {
                if let Some(us) = body["held_until_us"].as_u64() {
                    body["held_until_us"] = (us + 60_000_000).into();
                }
            })
        },
        ..IN_TIME
    },
    Case {
        name: "counts paid orders as held, too",
        expected: Fail(&["stock_conserved"]),
        state: |_, state| {
            let count = |key: &str| state[key].as_u64().unwrap_or_default();
            let all = count("held") + count("paid");
            state["held"] = Value::from(all);
        },
        ..IN_TIME
    },
    Case {
        name: "gives the unit of an expired order back twice",
        expected: Fail(&[
            "stock_conserved",
            "never_oversold",
            "sold_out_true",
            "no_unsold_stock",
            "stock_reads_bounded",
            "views_agree",
        ]),
        expire: |shop, at| {
            shop.end(at, "expired");
            shop.stock_left += 1;
        },
        ..TOO_LATE
    },
    Case {
        name: "never gives the unit of an expired order back",
        expected: Fail(&["stock_conserved", "stock_reads_bounded", "views_agree", "sold_out_true"]),
        expire: |shop, at| {
            shop.end(at, "expired");
            shop.stock_left -= 1;
        },
        ..TOO_LATE
    },
    Case {
        name: "honours payments for orders that have expired",
        expected: Fail(&[
            "never_oversold",
            "stock_conserved",
            "deadlines_hold",
            "orders_end_once",
            "sold_out_true",
            "no_unsold_stock",
            "stock_reads_bounded",
            "views_agree",
        ]),
        pay: |shop, at| {
            set(shop, at, "paid");
            Some(paid(&shop.rows[at]))
        },
        ..TOO_LATE
    },
    Case {
        name: "lets orders expire, and shows the time of their decision",
        expected: Fail(&["deadlines_hold"]),
        expire: |shop, at| {
            shop.end(at, "expired");
            let decided_us = shop.rows[at].decided_us;
            if let Some(order) = &mut shop.rows[at].order {
                order.ended_us = decided_us;
            }
            shop.has_lied = true;
        },
        ..TOO_LATE
    },
];
