//! The tests of the load generator as a whole, over io_uring. Where the kernel does not allow that,
//! they run over epoll, and say so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../load/closed.rs"]
mod closed;
#[path = "../load/combined.rs"]
mod combined;
#[path = "../load/connections.rs"]
mod connections;
#[path = "../load/described/mod.rs"]
mod described;
#[path = "../load/double_click.rs"]
mod double_click;
#[path = "../load/evidence.rs"]
mod evidence;
#[path = "../load/follow.rs"]
mod follow;
#[path = "../load/invalid_answers.rs"]
mod invalid_answers;
#[path = "../load/open.rs"]
mod open;
#[path = "../load/payments.rs"]
mod payments;
#[path = "../load/retry.rs"]
mod retry;
#[path = "../load/run.rs"]
mod run;
#[path = "../load/stampede.rs"]
mod stampede;
#[path = "../load/stop.rs"]
mod stop;
#[path = "../load/time_outs.rs"]
mod time_outs;
#[path = "../load/warmup.rs"]
mod warmup;

/// How the tested load generator talks to the kernel.
fn io() -> seckill::settings::Io {
    match seckill::load::check_rings(1) {
        Ok(()) => seckill::settings::Io::Uring,
        Err(cause) => {
            eprintln!("skipped, and run over epoll: io_uring cannot be used: {cause}");
            seckill::settings::Io::Epoll
        }
    }
}
