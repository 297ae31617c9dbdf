//! Right servers with other forms, terms and answers.

use serde_json::{Value, json};

use crate::answer::{Answer, failed, refused};
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup};
use crate::wire::Wire;

use super::{AT_ONCE, HUGE};

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

pub(super) const RIGHT: &[Case] = &[
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
];
