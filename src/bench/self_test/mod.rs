//! `bench --self-test`: checks whether the generator measures correctly on this machine, and how
//! much it can send.

mod result;
mod runs;
mod sequence;
mod stub_process;
mod stub_server;

pub use result::SelfTest;
pub use sequence::self_test;
pub use stub_process::{STUB_SERVER, stub_server};
