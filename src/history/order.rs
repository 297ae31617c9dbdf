//! Orders of a sale that holds its orders: each is paid for in time, or its unit comes back.

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, RequestId};

/// What has become of an order that needs a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Its buyer may still pay for it.
    Held,
    /// It is paid for.
    Paid,
    /// Its buyer gave it back.
    Cancelled,
    /// Nobody paid for it in time.
    Expired,
}

impl OrderStatus {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether the order takes a unit of the stock.
    pub const fn takes_unit(self) -> bool {
        matches!(self, Self::Held | Self::Paid)
    }
}

/// An order that needs a payment, as the ledger shows it. Times are by the tested system's clock,
/// in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderState {
    /// What has become of it.
    pub status: OrderStatus,
    /// Until when it is or was held.
    pub held_until_us: u64,
    /// When it was paid for, cancelled or expired; `None` while it is held.
    pub ended_us: Option<u64>,
}

/// A payment for an order, as it was answered. Times are in microseconds since the beginning of the
/// history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// The attempt that won the order.
    pub request_id: RequestId,
    /// What was answered.
    pub answered: PaymentAnswer,
    /// The order that the answer names as paid for, if that is another one than was paid for:
    /// [`OrderId::untold`] if it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Box<OrderId>>,
    /// When the request was sent.
    pub sent_us: u64,
    /// When the answer had been received, or the request had failed.
    pub answered_us: u64,
}

/// The answer to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentAnswer {
    /// It is honoured.
    Paid,
    /// It came too late.
    Expired,
    /// The order had been given back.
    Cancelled,
    /// The tested system does not know the order.
    UnknownOrder,
    /// It had no effect, for a reason that lies not in the order.
    Refused,
    /// A time-out, a reset after sending, a 500: it may have had an effect or not.
    Unknown,
}

impl PaymentAnswer {
    /// The words for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::UnknownOrder => "no such order",
            Self::Refused => "try again",
            Self::Unknown => "nothing usable",
        }
    }
}
