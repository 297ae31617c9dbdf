//! Right servers: what the API allows, in every variation. None may be accused.

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::{Answer, failed, refused};
use crate::case::Expected::{NotAccused, Unknown};
use crate::case::{CASE, Case};
use crate::server::{PAUSE_MS, STATUS};
use crate::shop::{SALE, Setup, Status};
use crate::wire::Wire;

const HUGE: Setup = Setup { stock: 1000, ..SALE };
const AT_ONCE: Setup = Setup { at_once: true, ..SALE };

/// 200 attempts, of which one without an answer is less than 1 %.
const MANY: &[&str] = &["--loops", "20", "--timeout", "1s"];

/// Writes every letter of every text as an escape.
fn escaped(text: String) -> String {
    let (mut escaped, mut is_text) = (String::new(), false);
    for c in text.chars() {
        is_text ^= c == '"';
        match c.is_ascii_alphabetic() && is_text {
            true => escaped += &format!("\\u{:04x}", u32::from(c)),
            false => escaped.push(c),
        }
    }
    escaped
}

fn changed(text: String, change: fn(&mut Value)) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(&text) else { return text };
    change(&mut value);
    value.to_string()
}

fn without(value: &mut Value, names: &[&str]) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
}

pub(crate) const RIGHT: &[Case] = &[
    CASE,
    Case { name: "chunked with trailers", wire: Wire::Chunked, ..CASE },
    Case { name: "seven bytes at a time", wire: Wire::SevenBytes, ..CASE },
    Case { name: "closes after each answer", wire: Wire::Close, ..CASE },
    Case { name: "closes silently", load: &["--think", "20ms"], wire: Wire::SilentClose, ..CASE },
    Case { name: "HTTP/1.0", wire: Wire::Http10, ..CASE },
    Case { name: "until the connection is closed", wire: Wire::UntilClose, ..CASE },
    Case { name: "103 before each answer", wire: Wire::EarlyHints, ..CASE },
    Case { name: "letters as escapes", text: escaped, ..CASE },
    Case {
        name: "extra fields",
        text: |text| {
            changed(text, |value| {
                value["and"] = json!([1, {"more": null}]);
                value["stocks"] = "\u{79d2}\u{6740}".into();
            })
        },
        ..CASE
    },
    Case {
        name: "nulls instead of absent fields",
        text: |text| {
            changed(text, |value| {
                for name in ["reason", "order_id", "message", "decided_us", "opens_us", "closes_us"]
                {
                    value[name] = value[name].take();
                }
            })
        },
        ..CASE
    },
    Case {
        name: "ids in capitals",
        text: |text| {
            changed(text, |value| {
                if let Some(id) = value["request_id"].as_str() {
                    value["request_id"] = id.to_uppercase().into();
                }
            })
        },
        ..CASE
    },
    Case { name: "decides at once", sale: AT_ONCE, ..CASE },
    Case { name: "decides slowly", sale: Setup { delay_ms: 300, ..SALE }, ..CASE },
    Case { name: "is never sold out", sale: HUGE, ..CASE },
    Case { name: "has nothing to sell", sale: Setup { stock: 0, ..SALE }, ..CASE },
    Case { name: "has earlier orders", sale: Setup { stock: 15, earlier: 5, ..SALE }, ..CASE },
    Case { name: "gaps in seq", sale: Setup { seq_step: 1000, ..SALE }, ..CASE },
    Case { name: "a clock 90 s ahead", sale: Setup { clock_ms: 90_000, ..SALE }, ..CASE },
    Case { name: "a clock 90 s behind", sale: Setup { clock_ms: -90_000, ..SALE }, ..CASE },
    Case { name: "buyers come again", load: &["--buyers", "thread"], sale: AT_ONCE, ..CASE },
    Case {
        name: "buyers come again for two units",
        load: &["--buyers", "8"],
        sale: Setup { stock: 12, per_buyer: 2, ..SALE },
        ..CASE
    },
    Case { name: "buyers follow", load: &["--follow"], ..CASE },
    Case { name: "buyers click twice", load: &["--double-click", "50%"], ..CASE },
    Case {
        name: "one of two clicks refused, as its queue is full",
        load: &["--double-click", "50%"],
        sale: HUGE,
        answer: |_, post, answer| match post.before {
            0 => answer,
            _ => refused(503, "queue_full"),
        },
        ..CASE
    },
    Case { name: "the run is repeated", load: &["then"], ..CASE },
    Case {
        name: "the seed is repeated with other buyers",
        load: &["--seed", "7", "then", "--seed", "7", "--buyers", "thread"],
        sale: HUGE,
        ..CASE
    },
    Case {
        name: "the seed is repeated with the same buyers",
        load: &["--seed", "7", "then", "--seed", "7"],
        sale: HUGE,
        ..CASE
    },
    Case {
        name: "opens during the run",
        load: &["--think", "100ms", "--loops", "15"],
        sale: Setup { opens_ms: Some(1_000), ..SALE },
        ..CASE
    },
    Case {
        name: "closes during the run",
        load: &["--think", "100ms", "--loops", "90"],
        sale: Setup { closes_ms: Some(8_000), ..HUGE },
        ..CASE
    },
    Case {
        name: "queue is full for every fifth",
        instead: |_, post| (post.number % 5 == 0).then(|| refused(503, "queue_full")),
        ..CASE
    },
    Case {
        name: "limits the rate, and buyers come back",
        load: &["--retry", "3", "--retry-budget", "100%", "--retry-backoff", "10ms"],
        instead: |_, post| {
            let answer = refused(429, "rate_limited");
            let is_limited = post.number % 5 == 0 && post.before == 0;
            is_limited.then_some(Answer { retry_after: Some("0"), ..answer })
        },
        ..CASE
    },
    Case {
        name: "one answer is cut, and its buyer comes back",
        load: &["--loops", "20", "--retry", "3"],
        sale: AT_ONCE,
        answer: |_, post, answer| if post.number == 3 { answer.cut() } else { answer },
        ..CASE
    },
    Case {
        name: "one answer is 500 after it won",
        load: &["--loops", "20"],
        sale: AT_ONCE,
        answer: |_, post, answer| if post.number == 3 { failed() } else { answer },
        ..CASE
    },
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
                shop.rows.clear();
                shop.stock_left = 10;
            }
            None
        },
        ..CASE
    },
];
