//! Faults during a run: connections through a proxy that breaks them, processes that are suspended,
//! killed and restarted, and a record of what happened when.
//!
//! A fault happens to a right system; a flaw is built into one. This room knows neither how the
//! processes were started nor what the connections carry.

mod carry_out;
mod figures;
mod pass;
mod proxy;
#[cfg(test)]
mod tests;
mod toxics;
mod watch;

pub use carry_out::{Course, Parts, Process};
pub use proxy::{Proxies, Proxy};
pub use watch::{FaultWatch, Faults};
