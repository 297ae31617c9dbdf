//! The load generator: virtual users that buy, each on a connection of its own.
//!
//! One OS thread per core, each with a runtime of its own; a user stays on its thread, so the path
//! of a request takes no lock and crosses no channel. What its requests mean is `sut`'s; where the
//! figures go is the sink's.

mod aggregate;
mod attempt;
mod executor;
mod http1;
mod reply;
mod retry;
mod run;
mod start_barrier;
mod timers;
mod user;
mod users;
mod worker;

pub use executor::{Arrivals, Schedule, Step};
pub use http1::{Connector, ProtocolError, Response, ResponseReader};
pub use run::{Job, Ran, run, workers};
