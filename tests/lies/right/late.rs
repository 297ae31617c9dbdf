//! Right servers that are slow, late, or hard to read.

use std::time::Duration;

use crate::answer::{failed, refused};
use crate::case::Expected::{NotAccused, Unknown};
use crate::case::{CASE, Case};
use crate::server::{PAUSE_MS, STATUS};
use crate::shop::{SALE, Setup, Status};

use super::{AT_ONCE, HUGE, without};

/// 200 attempts, of which one without an answer is less than 1 %.
const MANY: &[&str] = &["--loops", "20", "--timeout", "1s"];

pub(super) const RIGHT: &[Case] = &[
    Case {
        name: "an effect after the time-out, during the run",
        load: MANY,
        sale: HUGE,
        late_ms: |number| if number == 100 { 1_500 } else { 0 },
        answer: |_, _, answer| answer.after_ms(20),
        ..CASE
    },
    Case {
        name: "an effect after the time-out and after the run",
        load: MANY,
        sale: HUGE,
        late_ms: |number| if number == 199 { 1_500 } else { 0 },
        ..CASE
    },
    Case {
        name: "the last unit is sold after the time-out",
        load: MANY,
        sale: Setup { stock: 201, ..SALE },
        late_ms: |number| if number == 199 { 2_000 } else { 0 },
        ..CASE
    },
    Case {
        name: "no consumer could decide some after the last unit",
        decide: |shop, at| match shop.judge(at) {
            Status::Lost(_) if at % 2 == 0 => Some(Status::Lost("undeliverable")),
            status => Some(status),
        },
        ..CASE
    },
    Case { name: "CRLF in the ledger", ledger: |_, page| page.line_end = "\r\n", ..CASE },
    Case {
        name: "no newline at the end of the ledger",
        ledger: |_, page| page.ends_last_line = false,
        ..CASE
    },
    Case { name: "long lines in the ledger", ledger: |_, page| page.padding = 3000, ..CASE },
    Case {
        name: "the ledger is busy once before the run and once after it",
        ledger: |shop, page| page.status = if shop.ledgers % 2 == 0 { 503 } else { 200 },
        ..CASE
    },
    Case {
        name: "the ledger is cut off once after the run",
        ledger: |shop, page| page.is_cut = shop.ledgers == 1,
        ..CASE
    },
    Case {
        name: "results are limited",
        result: |_, question, answer| match question.before {
            0 if question.number % 2 == 0 => refused(429, "rate_limited"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "a result fails once",
        result: |_, question, answer| match question.before {
            0 if question.number % 7 == 0 => failed(),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "results take 60 ms, and all attempts are accepted",
        load: &["--loops", "20"],
        sale: HUGE,
        result: |_, _, answer| answer.after_ms(60),
        ..CASE
    },
    Case {
        name: "results take 9 s",
        expected: NotAccused,
        result: |_, _, answer| answer.after_ms(9_000),
        ..CASE
    },
    Case {
        name: "buyers follow slow decisions",
        sale: Setup { delay_ms: 400, ..SALE },
        load: &["--follow"],
        ..CASE
    },
    Case {
        name: "the state of the sale takes 1.5 s",
        state: |_, state| state[PAUSE_MS] = 1_500.into(),
        ..CASE
    },
    Case {
        name: "decides in another order",
        decide: |shop, at| {
            let is_last = at % 2 == 1 || shop.rows[at].due.elapsed() > Duration::from_millis(20);
            is_last.then(|| shop.judge(at))
        },
        ..CASE
    },
    Case {
        name: "decides by a clock 2 s behind",
        ledger: |_, page| {
            let clocks = page.rows.iter_mut().filter_map(|row| row.decided_us.as_mut());
            clocks.for_each(|us| *us -= 2_000_000);
        },
        ..CASE
    },
    Case {
        name: "opens by a clock 90 s ahead during the run",
        load: &["--think", "100ms", "--loops", "15"],
        sale: Setup { opens_ms: Some(1_000), clock_ms: 90_000, ..SALE },
        ..CASE
    },
    Case {
        name: "an order is told after the time-out",
        load: MANY,
        sale: AT_ONCE,
        answer: |_, post, answer| answer.after_ms(if post.number == 2 { 1_500 } else { 0 }),
        ..CASE
    },
    Case {
        name: "a buyer whose order was not told has bought",
        load: &["--loops", "20", "--buyers", "thread"],
        sale: Setup { stock: 1000, at_once: true, ..SALE },
        answer: |_, post, answer| if post.number == 2 { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "many buyers at once",
        load: &["--threads", "80", "--loops", "3", "--stampede"],
        ..CASE
    },
    Case {
        name: "restarts after the run",
        state: |shop, state| {
            if (2..6).contains(&shop.states) {
                state[STATUS] = 503.into();
            }
        },
        result: |_, question, answer| match question.number {
            0..10 => answer.dropped(),
            _ => answer,
        },
        ledger: |shop, page| page.is_cut = shop.ledgers == 1,
        ..CASE
    },
    Case {
        name: "limits those who repeat a known attempt",
        answer: |_, post, answer| match post.before {
            1 => refused(429, "rate_limited"),
            _ => answer,
        },
        ..CASE
    },
    Case {
        name: "leaves out what is optional",
        state: |_, state| without(state, &["epoch", "per_buyer"]),
        ledger: |_, page| without(&mut page.sale, &["epoch"]),
        ..CASE
    },
    Case {
        name: "opens a fresh sale before the run",
        load: &["--stock", "30"],
        sale: Setup { earlier: 4, ..SALE },
        ..CASE
    },
    Case {
        name: "attempts of an earlier run have their effect during the next one",
        load: &[
            "--threads",
            "4",
            "--timeout",
            "100ms",
            "--max-errors",
            "100%",
            "then",
            "--threads",
            "10",
            "--loops",
            "20",
            "--think",
            "250ms",
        ],
        sale: HUGE,
        late_ms: |number| if number < 4 { 4_000 } else { 0 },
        expected: NotAccused,
        ..CASE
    },
    Case {
        name: "another sale is opened during the run",
        expected: Unknown,
        instead: |shop, post| {
            if post.number == 50 {
                shop.epoch += 1;
                // Perhaps nothing is decided yet, so that the stock does not show it.
                shop.has_lied = true;
                shop.rows.clear();
                shop.stock_left = 10;
            }
            None
        },
        ..CASE
    },
];
