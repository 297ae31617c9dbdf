//! An HTTP/1.1 client for load: one connection per virtual user, whole answers, and for each
//! request whether any byte of it may have left this machine. It knows no API.

mod connection;
mod connector;
mod error;
mod head;
mod response;
mod stream;

pub(super) use connection::{Connection, Exchange, Outgoing};
pub use connector::Connector;
pub use error::ProtocolError;
pub use response::{Response, ResponseReader};
