//! Orders of a sale that holds them, and how one ends.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::api::OrderStatus;
use crate::gradual_map::GradualMap;
use crate::ids::{BuyerId, RequestId};

/// What is to end the hold of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The buyer pays.
    Pay,
    /// The buyer gives the unit back.
    Cancel,
    /// The deadline has passed.
    Expire,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pay, Self::Cancel, Self::Expire];

    /// The word in a log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pay => "pay",
            Self::Cancel => "cancel",
            Self::Expire => "expire",
        }
    }

    /// The status of an order that this ended.
    pub const fn status(self) -> OrderStatus {
        match self {
            Self::Pay => OrderStatus::Paid,
            Self::Cancel => OrderStatus::Cancelled,
            Self::Expire => OrderStatus::Expired,
        }
    }
}

impl FromStr for Ending {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|ending| ending.as_str() == word).ok_or(())
    }
}

/// An order of a sale that holds its orders, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What has become of it.
    pub status: OrderStatus,
    /// Until when it is or was held, in microseconds since the Unix epoch.
    pub held_until_us: u64,
    /// When it was paid for, cancelled or expired; `None` while it is held.
    pub ended_us: Option<u64>,
}

/// The outcome of ending the hold of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The status of the order now.
    pub status: OrderStatus,
    /// Whether this call has changed anything.
    pub is_new: bool,
}

/// The orders of a sale that holds its orders, by the attempts that won them.
#[derive(Debug, Clone, Default)]
pub(super) struct Holds {
    pub(super) orders: GradualMap<RequestId, (BuyerId, Order)>,
    /// The held ones, by their deadlines.
    pub(super) deadlines: BTreeSet<(u64, RequestId)>,
}
