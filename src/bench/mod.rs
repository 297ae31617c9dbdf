//! One run as a sequence: start or find the server, look at its sale, load, settle, judge. The
//! result is a value, which others print. It talks to people only through events.

mod conclude;
mod config;
mod error;
mod event;
mod evidence;
mod load;
mod prepare;
mod run;
mod self_test;
mod spawned;

pub use config::Config;
pub use error::BenchError;
pub use event::Event;
pub use run::{Finished, run};
pub use self_test::{STUB_SERVER, SelfTest, self_test, stub_server};
