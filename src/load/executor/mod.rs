//! The load models: when an attempt is made, and by which user. Schedules are pure; the executors
//! drive users by them.

mod arrivals;
mod closed;
mod open;
mod schedule;

pub use arrivals::Arrivals;
pub(super) use closed::{OPENING_MAX, SETTING_UP_MAX, run as run_closed};
pub(super) use open::{Dispatcher, ROWS};
pub use schedule::{Schedule, Step};
