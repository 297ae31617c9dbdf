//! [`Tells`]: which facts the source of a ledger can tell.

use serde::{Deserialize, Serialize};

/// Which facts the source of a ledger can tell. What it cannot tell has a harmless value in the
/// ledger, from which nothing may be concluded. The default is everything, as the built-in API
/// tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tells {
    /// Every accepted attempt has a row, decided or not. Otherwise each order has one, and an
    /// attempt without a row may have lost.
    pub attempts: bool,
    /// Every row has the request id of its attempt.
    pub request_ids: bool,
    /// Every row has its buyer.
    pub buyers: bool,
    /// Every order has its id.
    pub order_ids: bool,
    /// Every row has its item.
    pub items: bool,
    /// Every row has its position in the order of acceptance.
    pub positions: bool,
    /// Every row has its time of acceptance.
    pub times: bool,
    /// The units left are counted by the tested system. Otherwise the stock is known only if
    /// [`History::expected_stock`](super::History::expected_stock) has it.
    pub stock: bool,
    /// The number of orders that one buyer may have is known.
    pub limit: bool,
    /// The tested system publishes the state of its sale: its terms, the units left, the orders
    /// and the attempts that are queued, all of the same moment. Otherwise no conclusion is drawn
    /// from [`History::views`](super::History::views).
    pub states: bool,
    /// An attempt that is sent several times has one effect at the most. Otherwise each of its
    /// requests may have one of its own.
    #[serde(default = "yes")]
    pub once: bool,
}

fn yes() -> bool {
    true
}

impl Tells {
    /// Everything, as with the built-in API.
    pub const EVERYTHING: Self = Self::all(true);
    /// Nothing but how many orders there are.
    pub const COUNT: Self = Self::all(false);

    const fn all(told: bool) -> Self {
        Self {
            attempts: told,
            request_ids: told,
            buyers: told,
            order_ids: told,
            items: told,
            positions: told,
            times: told,
            stock: told,
            limit: told,
            states: told,
            // It is no fact of the source.
            once: true,
        }
    }

    /// Whether nothing is missing.
    pub fn is_everything(&self) -> bool {
        *self == Self::EVERYTHING
    }

    /// Whether each row names an attempt or a buyer.
    pub fn names(&self) -> bool {
        self.request_ids || self.buyers
    }
}

impl Default for Tells {
    fn default() -> Self {
        Self::EVERYTHING
    }
}
