//! The load generator as a whole against scripted servers: what it sends and when, how it
//! understands answers, and whether its figures and its history are correct.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

#[path = "../support/mod.rs"]
mod support;

mod closed;
mod combined;
mod connections;
mod described;
mod double_click;
mod evidence;
mod follow;
mod invalid_answers;
mod open;
mod payments;
mod retry;
mod run;
mod stampede;
mod stop;
mod time_outs;
mod warmup;

/// How the tested load generator talks to the kernel; `tests/load_uring` runs the same tests over
/// io_uring.
fn io() -> seckill::settings::Io {
    seckill::settings::Io::Epoll
}
