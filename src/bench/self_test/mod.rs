//! `bench --self-test`: does the generator tell the truth on this machine, and how much can it send?

mod result;
mod sequence;
mod stub_process;
mod stub_server;

pub use result::SelfTest;
pub use sequence::self_test;
pub use stub_process::{STUB_SERVER, stub_server};
