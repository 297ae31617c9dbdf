//! Serves a flash sale, loads it like JMeter, and judges whether it sold exactly what it had.
//!
//! ARCHITECTURE.md shows the two flows and the floors that these modules stand on.

pub mod api;
pub mod clock;
pub mod journal;
pub mod queue;
pub mod sale;
pub mod server;
pub mod store;
pub mod units;
