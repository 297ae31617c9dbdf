//! One run as a sequence: start or find the server, read the state of its sale, load, settle,
//! judge. The result is a value that others print. It prints nothing itself, and reports progress
//! as events.

mod abort;
mod conclude;
mod config;
mod error;
mod event;
mod evidence;
mod faults;
mod load;
mod prepare;
mod run;
mod self_test;
mod server_process;
mod spawned;
mod thresholds;
mod trial;

pub use config::{Config, Thresholds};
pub use error::BenchError;
pub use event::Event;
pub use run::{Finished, run};
pub use self_test::{STUB_SERVER, SelfTest, self_test, stub_server};
pub use trial::{Trial, try_out};
