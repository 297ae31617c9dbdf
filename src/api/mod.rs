//! The HTTP API, as the server and its clients share it: the shapes of the bodies, and the reasons
//! with their statuses. It knows neither how a server decides nor what a client concludes.

mod reasons;
mod shapes;
mod waiting_room;

pub use reasons::{LostReason, OrderStatus, Refusal};
pub use shapes::{
    Answer, EndOrder, LedgerAttempt, LedgerCounts, LedgerLine, LedgerSale, OpenSale, OpenedSale,
    Purchase, SaleStatus,
};
pub use waiting_room::{TakeTicket, TicketStatus};
