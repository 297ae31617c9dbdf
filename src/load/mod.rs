//! The load generator: virtual users that buy, each on a connection of its own.
//!
//! One OS thread per core, each with a runtime of its own; a user stays on its thread, so the
//! path of a request takes no lock and crosses no channel.

mod answer;
mod arrivals;
mod closed;
mod collect;
mod constant;
mod dialer;
mod gate;
mod head;
mod line;
mod open;
mod request;
mod response;
mod run;
mod schedule;
mod stop;
mod stream;
mod timers;
mod user;
mod validity;
mod worker;

pub use answer::read_result;
pub use arrivals::Arrivals;
pub use collect::Seen;
pub use constant::serve_constant;
pub use dialer::Dialer;
pub use request::Template;
pub use response::{ProtocolError, Response, ResponseReader};
pub use run::{Job, Ran, run, workers};
pub use schedule::{Schedule, Step};
pub use stop::Stop;
pub use validity::invalid;
