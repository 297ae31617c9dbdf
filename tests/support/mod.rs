//! What several test programs share: servers of several kinds, clients, and real services.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

pub(crate) mod amqp_front;
pub(crate) mod backend;
pub(crate) mod broker;
pub(crate) mod child;
pub(crate) mod client;
pub(crate) mod deployment;
pub(crate) mod flaw_faults;
pub(crate) mod flaw_loads;
pub(crate) mod flaw_runs;
pub(crate) mod front;
pub(crate) mod link;
pub(crate) mod manual_server;
pub(crate) mod order_numbers;
pub(crate) mod rabbitmq_cluster;
pub(crate) mod rabbitmqctl;
pub(crate) mod redis_cluster;
#[allow(clippy::print_stdout, reason = "a failed campaign is repeated with its seed")]
pub(crate) mod right_run;
pub(crate) mod scripted;
pub(crate) mod seeded;
pub(crate) mod skip;

mod reply;
mod running;
mod shop;

use std::time::Duration;

pub(crate) use reply::{AttemptStatus, Reply, assert_refused};
pub(crate) use running::{Running, Wire, config, purchase};
pub(crate) use shop::{
    JOURNAL, Setup, Shop, TOKEN, app, attempt, decided, first_refused, get, open_store, post,
    publish, request, terms,
};

/// A future that takes longer counts as hanging. This is less than the 30 s of the longest long
/// poll, so that an answer that comes only because the poll timed out counts as hanging too.
pub(crate) const HANG: Duration = Duration::from_secs(25);

/// Fails the test if the future takes longer than [`HANG`].
#[track_caller]
pub(crate) fn within<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(HANG, future).await {
            Ok(output) => output,
            Err(_) => panic!("hangs: {caller}"),
        }
    }
}

/// Polls a future once, and returns whether it is still pending.
pub(crate) async fn is_waiting(future: std::pin::Pin<&mut impl Future>) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = std::future::ready(()) => true,
    }
}

/// A request id that contains this number.
pub(crate) fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}
