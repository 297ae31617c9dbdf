//! The shapes of the bodies that server and clients exchange.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

/// Body of `POST /seckill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase<'a> {
    /// The buyer: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
    #[serde(borrow)]
    pub uid: Cow<'a, str>,
    /// The attempt's idempotency key, a UUID; the header `Idempotency-Key` may carry it instead.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// May be left out while exactly one sale is known.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<Cow<'a, str>>,
}

/// Body of `POST /orders/{order_id}/pay` and `POST /orders/{order_id}/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndOrder {
    /// The attempt that won the order: only its buyer knows the id.
    pub request_id: String,
}

/// Every answer to `POST /seckill`, `GET /result/{request_id}` and `POST /orders/…`, and every
/// refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer<'a> {
    /// `queued`, `won`, `lost`, `rejected` (no effect) or `unknown` (send the same id again); of an
    /// order that was ended `paid` or `cancelled`.
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    /// The reason, for every status but `queued` and `won`.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// The attempt, where the answer is about one.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// The order, for `won`, `paid` and `cancelled`.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<Cow<'a, str>>,
    /// Of a queued attempt: how many attempts at its item are decided before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Of a queued attempt: an estimate of the time until it is decided, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u64>,
    /// For `won` at a sale that holds its orders: `held`, `paid`, `cancelled` or `expired`.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Cow<'a, str>>,
    /// Until when the order is or was held: microseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until_us: Option<u64>,
    /// How to correct the request, for people; its text may change.
    #[serde(default, borrow, deserialize_with = "borrowed")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
}

/// Reads an optional text without a copy if it has no escapes. On an `Option`, serde's `borrow`
/// alone would still copy it.
fn borrowed<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Ok(Option::<Text<'a>>::deserialize(deserializer)?.map(|text| text.0))
}

/// Reads an optional number: a server may write `null` instead of leaving it out.
fn zero_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.unwrap_or_default())
}

/// Answer of `GET /result`: the sale as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleStatus {
    /// `not_open`, `open`, `sold_out` or `closed`.
    pub status: String,
    /// The item on sale.
    pub item: String,
    /// Which sale of its server this is: every `PUT /admin/sale` makes a new one.
    #[serde(default, deserialize_with = "zero_if_null")]
    pub epoch: u64,
    /// Units at the opening.
    pub stock: u64,
    /// Units not sold; negative when oversold.
    pub stock_left: i64,
    /// Orders made and not given back.
    pub orders: u64,
    /// Attempts accepted and not yet decided.
    pub queued: u64,
    /// No stock is left and no attempt is queued.
    pub finished: bool,
    /// Orders that one buyer may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_buyer: Option<u32>,
    /// When it opens: microseconds since the Unix epoch. Absent if it was open from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_us: Option<u64>,
    /// When it closes, in the same way. Absent if it does not close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_us: Option<u64>,
    /// How long an order is held until it is paid for, in microseconds. Absent, as are the next
    /// two, if orders need no payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_us: Option<u64>,
    /// Of the orders, those that are held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
    /// Of the orders, those that are paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<u64>,
}

/// Body of `PUT /admin/sale`: opens a fresh sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenSale {
    /// The item: the same characters as a buyer.
    pub item: String,
    /// Units to sell.
    pub stock: u32,
    /// When it opens: RFC 3339. If absent, the sale opens at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<String>,
    /// When it closes: RFC 3339. If absent, the sale does not close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<String>,
    /// Orders that one buyer may have; if absent, the server's `--per-buyer` applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_buyer: Option<u32>,
    /// How long an order is held until it is paid for, as `15m`; `0s` if orders need no payment. If
    /// absent, the server's `--hold` applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
}

/// Answer of `PUT /admin/sale`: the sale that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedSale {
    /// `opened`.
    pub status: String,
    /// The item on sale.
    pub item: String,
    /// Which sale of its server this is.
    #[serde(default, deserialize_with = "zero_if_null")]
    pub epoch: u64,
    /// Units to sell.
    pub stock: u64,
    /// Orders that one buyer may have.
    pub per_buyer: u32,
    /// How long an order is held, in microseconds. Absent if orders need no payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_us: Option<u64>,
}

/// One line of `GET /admin/ledger`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LedgerLine<'a> {
    /// The first line.
    Sale {
        /// The sale that the ledger is of.
        sale: LedgerSale,
    },
    /// The last line: a ledger without it was cut off.
    Counts {
        /// What the lines between must add up to.
        counts: LedgerCounts,
    },
    /// One accepted attempt.
    Attempt(LedgerAttempt<'a>),
}

/// The sale, as the ledger's first line has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSale {
    /// The item on sale.
    pub item: String,
    /// Which sale of its server this is.
    #[serde(default, deserialize_with = "zero_if_null")]
    pub epoch: u64,
    /// Units at the opening.
    pub stock: u64,
    /// Units not sold; negative when oversold.
    pub stock_left: i64,
    /// Orders that one buyer may have.
    pub per_buyer: u32,
    /// When it opens: microseconds since the Unix epoch. Absent if it was open from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_us: Option<u64>,
    /// When it closes, in the same way. Absent if it does not close.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_us: Option<u64>,
    /// How long an order is held, in microseconds. Absent if orders need no payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_us: Option<u64>,
}

/// One accepted attempt and its decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerAttempt<'a> {
    /// The attempt's idempotency key.
    pub request_id: String,
    /// The buyer.
    pub uid: Cow<'a, str>,
    /// The item.
    pub item: Cow<'a, str>,
    /// Position in the order of acceptance.
    pub seq: u64,
    /// When it was accepted: microseconds since the Unix epoch.
    pub accepted_us: u64,
    /// When it was decided; absent while it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_us: Option<u64>,
    /// `queued`, `won` or `lost`.
    pub status: Cow<'a, str>,
    /// The reason, if it lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    /// The order, if it won.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<Cow<'a, str>>,
    /// If it won at a sale that holds its orders: `held`, `paid`, `cancelled` or `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Cow<'a, str>>,
    /// Until when the order is or was held: microseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until_us: Option<u64>,
    /// When the order was paid for, cancelled or expired, in the same way; absent while it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_us: Option<u64>,
}

/// How many lines of each status the ledger has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerCounts {
    /// All attempts.
    pub accepted: u64,
    /// Attempts that won.
    pub won: u64,
    /// Attempts that lost.
    pub lost: u64,
    /// Attempts that are not decided.
    pub queued: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_without_escapes_are_not_copied() {
        let text =
            r#"{"status":"lost","reason":"r","request_id":"i","order_id":"o","message":"m"}"#;
        let answer: Answer<'_> = serde_json::from_str(text).unwrap();
        let optional = [answer.reason, answer.request_id, answer.order_id, answer.message];
        for text in optional.into_iter().flatten().chain([answer.status]) {
            assert!(matches!(text, Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn answers_with_escapes_nulls_and_unknown_keys_are_read() {
        let text = r#"{"status":"lost","reason":null,"message":"a \"b\"","more":[1]}"#;
        let meant =
            Answer { status: "lost".into(), message: Some(r#"a "b""#.into()), ..Answer::default() };
        assert_eq!(serde_json::from_str::<Answer<'_>>(text).unwrap(), meant);
    }
}
