//! The load generator: virtual users that buy, each on its own connection.
//!
//! There is one OS thread per core, each with its own runtime. A user stays on its thread, so the
//! path of a request takes no lock and crosses no channel. This module neither interprets requests
//! and answers, which `sut` does, nor keeps figures, which the sink does.

mod after;
mod aggregate;
mod attempt;
mod executor;
mod http1;
mod payment;
mod payments;
mod rehearsal;
mod reply;
mod retry;
mod ring;
mod run;
mod start_barrier;
mod steps;
mod timers;
mod user;
mod users;
mod worker;

pub use after::{AfterLoad, ResultAnswer, SentAgain, read_results, send_again};
pub use executor::{Arrivals, Schedule, Step};
pub use http1::{Connector, ProtocolError, Response, ResponseReader};
pub use rehearsal::{Part, Rehearsal, Rehearsed, rehearse};
pub use ring::check as check_rings;
pub use run::{Job, Ran, run, workers};
