//! Connections over io_uring instead of epoll: all sends of one turn of the worker's loop go to the
//! kernel in one call, and received bytes come without any.

mod check;
mod kernel;
mod stream;

pub use check::check;
pub(super) use stream::{Ring, RingStream};
