//! [`ControlError`]: why nothing usable is known of the tested system.

use std::time::Duration;

use reqwest::StatusCode;

use crate::escape::printable;
use crate::ids::ItemId;
use crate::units::Span;

/// Time-out for a connection, for the state of a sale, and between two pieces of a ledger.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the server gives no usable answer; each message names the cure.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages describe the variants")]
pub enum ControlError {
    #[error("no server answers at {0}: start `seckill serve` there, or add --spawn")]
    NoServer(String),
    #[error(
        "there was no connection to {0} within {1} (--connect-timeout): is it the right --target?"
    )]
    NoConnection(String, Span),
    #[error(
        "{0} accepted the connection and did not answer within {1} (--connect-timeout): is it the \
         right --target, and does its server run?"
    )]
    Silent(String, Span),
    #[error("{0} did not answer within {time_out} s", time_out = ANSWER_TIMEOUT.as_secs())]
    TimedOut(String),
    #[error("{0} answers, but not in HTTP: is it the right --target?")]
    NotHttp(String),
    #[error("{0} reaches no server behind it ({1}): start `seckill serve` where it looks for one")]
    NoServerBehind(String, StatusCode),
    #[error("{0} is not a seckill server: it answers GET /result with status {status}",
            status = .1.as_u16())]
    Foreign(String, StatusCode),
    #[error("{0} is not a seckill server: its answer to GET /result, with status {status}, is no \
             state of a sale", status = .1.as_u16())]
    NoState(String, StatusCode),
    #[error("several items are on sale at {0}: select one with --item NAME")]
    ItemRequired(String),
    #[error(
        "the item{} is not on sale at {url}: name one that is with --item, or open its sale with \
         --stock",
        .item.as_ref().map(|item| format!(" {item}")).unwrap_or_default()
    )]
    UnknownItem { url: String, item: Option<ItemId> },
    #[error("no admin token: give --admin-token or SECKILL_ADMIN_TOKEN")]
    NoToken,
    #[error("the admin token is not the server's")]
    WrongToken,
    #[error("PUT /admin/sale for {0} is answered with status {1}, and not with 200")]
    NotOpened(ItemId, StatusCode),
    #[error("PUT /admin/sale is answered with status 200, but its body is not the opened sale")]
    NotAnOpenedSale,
    #[error("{0}")]
    Ledger(String),
    #[error("the last line of the ledger does not count the lines before it")]
    Miscounted,
    #[error("cannot make an HTTP client: {0}")]
    Client(String),
    #[error("no server answers at {0}: start the shop there, or give its --target")]
    NoShop(String),
    #[error("--stock opens a sale of `seckill serve`: use --reset, and `stock` in [shop]")]
    CannotOpen,
    #[error("--reset needs a description of the shop, with [[reset]]")]
    CannotReset,
    #[error("the description does not say where the orders are: add [truth.orders]")]
    NoOrders,
    #[error(
        "the orders tell of their items, and no item is named: add item = \"NAME\", or give --item"
    )]
    NoItem,
    #[error(
        "truth.orders: there are orders of `{}`, and the run buys `{}`: say with `only` which \
         records are orders of this sale",
        printable(other),
        printable(item)
    )]
    OtherItem { other: String, item: String },
    #[error("[[reset]] has run, and [truth.stock] shows {0} units: see its steps")]
    NothingReset(i64),
    #[error(
        "[[reset]] has run, and [truth.orders] still has {0} orders, which count as sold: delete \
         them as well, leave them out with `only`, or add [truth.stock]"
    )]
    OrdersLeft(u64),
    #[error(
        "`stock` in [shop] is {stock}, but {stock_left} units are left and {orders} are sold: \
         restore both by [[reset]] and --reset, or correct `stock`"
    )]
    StockDiffers { stock: u64, stock_left: i64, orders: u64 },
    #[error("{problem}")]
    Truth { problem: String, may_pass: bool },
}

impl ControlError {
    /// Whether another try would end in the same way.
    pub fn is_lasting(&self) -> bool {
        self.is_of_token() || matches!(self, Self::NoOrders | Self::NoItem | Self::OtherItem { .. })
    }

    /// Whether the admin token is missing or wrong.
    pub fn is_of_token(&self) -> bool {
        matches!(self, Self::NoToken | Self::WrongToken)
    }

    /// The status of an answer that cannot be true of a sale that was found before: complete, but
    /// no state, or a refusal of a valid request.
    pub(super) fn no_state(&self) -> Option<u16> {
        match self {
            Self::ItemRequired(_) => Some(400),
            Self::UnknownItem { .. } => Some(404),
            Self::NoState(_, status) => Some(status.as_u16()),
            _ => None,
        }
    }
}
