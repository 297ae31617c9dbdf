//! The ledger of a sale, as the tested system exports it. Reading it from a particular API is the
//! task of `sut`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, RequestId};

use super::{OrderState, OrderStatus, Tells};

/// Why an attempt lost, whatever words the tested system has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loss {
    /// No unit was left.
    SoldOut,
    /// The buyer had as many orders as one may have.
    AlreadyBought,
    /// Another sale of the item was opened before the decision.
    SaleReplaced,
    /// No consumer could decide it.
    Undeliverable,
    /// The tested system did not say why.
    Unstated,
    /// A word that its API does not have.
    Foreign,
}

impl Loss {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SoldOut => "sold out",
            Self::AlreadyBought => "already bought",
            Self::SaleReplaced => "sale replaced",
            Self::Undeliverable => "undeliverable",
            Self::Unstated => "no reason",
            Self::Foreign => "a reason that the API does not have",
        }
    }

    /// Whether both can be the reason of the same attempt: a reason may be left out.
    pub fn agrees_with(self, other: Self) -> bool {
        self == other || self == Self::Unstated || other == Self::Unstated
    }
}

/// The state of an accepted attempt, as the tested system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Not decided yet.
    Queued,
    /// Won this order.
    Won(OrderId),
    /// Lost, for this reason.
    Lost(Loss),
}

impl Status {
    /// Whether it is a decision, which is final.
    pub fn is_decision(&self) -> bool {
        !matches!(self, Self::Queued)
    }

    /// The order, if it won one.
    pub fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::Won(order_id) => Some(order_id),
            Self::Queued | Self::Lost(_) => None,
        }
    }

    /// Whether both can be the state of the same attempt at the same moment.
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lost(one), Self::Lost(other)) => one.agrees_with(*other),
            (Self::Won(one), Self::Won(other)) => one.agrees_with(other),
            (one, other) => one == other,
        }
    }
}

/// One accepted attempt, as the tested system reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its idempotency key.
    pub request_id: RequestId,
    /// The buyer.
    pub uid: Box<str>,
    /// The item.
    pub item: Arc<str>,
    /// Its position in the order of acceptance.
    pub seq: u64,
    /// When it was accepted, by the tested system's clock, in microseconds since the Unix epoch.
    pub accepted_us: u64,
    /// When it was decided, in the same way; `None` if it is not decided.
    pub decided_us: Option<u64>,
    /// Its state.
    pub status: Status,
    /// What has become of its order, at a sale that holds its orders.
    pub order: Option<Box<OrderState>>,
}

impl Row {
    /// Whether it has an order that takes a unit of the stock: one that was given back does not.
    pub fn takes_unit(&self) -> bool {
        let is_kept = self.order.as_ref().is_none_or(|order| order.status.takes_unit());
        is_kept && matches!(self.status, Status::Won(_))
    }

    /// Whether it has an order that takes a unit for good: one that is paid for, or needs no
    /// payment.
    pub fn keeps_unit(&self) -> bool {
        let is_paid = self.order.as_ref().is_none_or(|order| order.status == OrderStatus::Paid);
        is_paid && matches!(self.status, Status::Won(_))
    }

    /// What has become of its order, at a sale that holds its orders.
    pub fn order_status(&self) -> Option<OrderStatus> {
        self.order.as_ref().map(|order| order.status)
    }

    /// Time from acceptance to decision, in microseconds; `None` if it is not decided. With several
    /// clocks, a decision may seem to be the earlier one; then it is 0.
    pub fn settle_us(&self) -> Option<u64> {
        self.decided_us.map(|us| us.saturating_sub(self.accepted_us))
    }
}

/// When a sale is open, by the tested system's clock, in microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// From then on; `None` if no opening is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_us: Option<u64>,
    /// Until before then; `None` if no closing is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_us: Option<u64>,
}

/// The sale of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleTerms {
    /// The item on sale.
    pub item: String,
    /// Which sale of its server this is: each fresh sale has a higher one.
    pub epoch: u64,
    /// Units at the opening.
    pub stock: u64,
    /// Units not sold; negative when oversold.
    pub stock_left: i64,
    /// Orders that one buyer may have.
    pub per_buyer: u32,
    /// Its hours, as far as the ledger shows them.
    pub hours: Hours,
    /// How long an order is held until it is paid for, in microseconds; `None` if orders need no
    /// payment.
    pub hold_us: Option<u64>,
}

impl SaleTerms {
    /// Whether it is the same sale with the same terms, whatever is left of it.
    pub fn are_those_of(&self, other: &Self) -> bool {
        Self { stock_left: other.stock_left, ..self.clone() } == *other
    }
}

/// The whole ledger of one sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The sale.
    pub sale: SaleTerms,
    /// Every accepted attempt, in the order of acceptance.
    pub rows: Vec<Row>,
    /// Whether the numbers of attempts that it gives are not those of its rows.
    pub is_miscounted: bool,
    /// Which of these facts its source can tell.
    pub tells: Tells,
}
