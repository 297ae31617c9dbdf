//! The server: accept, admit, queue, decide, answer.
//!
//! Owns HTTP, the order of the steps, and when what is acknowledged. It uses a queue and a store
//! through their enums and knows none of their brands, nor who sends the requests.

mod address;
mod admin;
mod admin_token;
mod admission;
mod answer;
mod app;
mod at_once;
mod body;
mod bounded_table;
mod compaction;
mod concurrency;
mod consumer;
mod data_dir;
mod dead_letters;
mod deciding_thread;
mod draining;
mod engines;
mod error;
mod expiry;
mod flaws;
mod http;
mod intake;
mod keyed_rate_limit;
mod ledger;
mod limits;
mod open;
mod orders;
mod precedence;
mod purchase_request;
mod query;
mod rate_limit;
mod ready;
mod recent_check;
mod request_head;
mod requests;
mod result;
mod retry_after;
mod route;
mod run;
mod runtime;
mod start;
mod tickets;
mod waiting_room;

pub use address::{AddressRateLimit, Peer};
pub use admin_token::AdminToken;
pub use app::{Admit, AnswerResult, App, Boxed, Consume, HandleUndecided, Step};
pub use concurrency::ConcurrencyLimit;
pub use consumer::{Share, run as consume};
pub use data_dir::{DataDir, DataError};
pub use draining::Draining;
pub use engines::{Engines, open_engines};
pub use error::ServeError;
pub use http::{
    Handler, Limits, Method, Plain, PlainAnswer, PlainRequest, Timeouts, serve_connections,
};
pub use intake::{ConfirmBatcher, DecidedRate, Progress};
pub use keyed_rate_limit::KeyedRateLimit;
pub use ledger::{LedgerBody, LedgerReaders};
pub use limits::AdmissionLimits;
pub use precedence::Precedence;
pub use purchase_request::PurchaseRequest;
pub use rate_limit::RateLimit;
pub use recent_check::RecentCheck;
pub use route::{Body, route};
pub use run::Server;
pub use runtime::runtime;
pub use waiting_room::WaitingRoom;
