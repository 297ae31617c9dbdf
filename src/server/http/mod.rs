//! Connections: who gets a slot, what each may cost in time and memory, and a graceful shutdown.
//!
//! Plain requests are read and answered in place ([`plain`]); hyper does it for all others.
//! Everything that depends on time is decided by one sweep over all connections ([`slots`]), from
//! the record that each keeps of its progress.

mod answer_body;
mod client;
mod connection;
mod framing;
mod handler;
mod limits;
mod plain;
mod plain_answer;
mod plain_request;
mod progress;
mod refusal;
mod slots;
mod stream;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::time::Instant;

pub(super) use connection::AmbiguousLength;
pub use handler::{Handler, Plain, PlainAnswer};
pub use limits::{Limits, Timeouts};
pub use plain_request::{Method, PlainRequest};

use client::Order;
use slots::{Place, Slots};

/// Connections that wait in the kernel to be accepted; it limits this to `net.core.somaxconn`.
const BACKLOG: i32 = 65_535;

/// How long requests that are in transit when the shutdown begins are still answered.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// Pause between two looks at whether all connections have ended.
const SHUTDOWN_PAUSE: Duration = Duration::from_millis(10);

/// Pause after accepting failed (no file descriptor, no memory).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Pause between two sweeps.
const SWEEP_PAUSE: Duration = Duration::from_millis(250);

/// Listens on an address such as `127.0.0.1:7001`; port 0 takes a free one.
pub(super) fn listen(address: &str) -> io::Result<TcpListener> {
    let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
    let mut last_error = io::Error::new(io::ErrorKind::InvalidInput, "no such address");
    for address in addresses {
        match bind(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Accepted streams inherit it.
    socket.set_recv_buffer_size(stream::BUFFER_LEN)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves connections until `shutdown` resolves; then closes the idle ones, lets requests in flight
/// finish within the drain time-out, and returns. The handler is told the address at the other end.
pub async fn serve_connections<H: Handler>(
    listener: TcpListener,
    limits: Limits,
    handler: H,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Slots::new(limits);
    let mut shutdown = pin!(shutdown);
    let mut sweep = tokio::time::interval(SWEEP_PAUSE);
    sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = slots.accept(&listener) => accepted,
            _ = sweep.tick() => {
                slots.sweep();
                continue;
            }
            () = &mut shutdown => break,
        };
        let (stream, peer, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (slots, handler) = (Arc::clone(&slots), handler.clone());
        tokio::spawn(async move {
            let slot = match place {
                Place::Slot(slot) => slot,
                Place::Reserve(_reserved) => match slots.wait().await {
                    Some(slot) => slot,
                    // In a box, since a task is as large as the largest of its states.
                    None => return Box::pin(refusal::refuse(stream, slots.patience())).await,
                },
            };
            connection::serve(stream, slot, peer, handler).await;
        });
    }
    drop(listener);
    drain(&slots).await;
}

/// Lets all connections end.
async fn drain(slots: &Slots) {
    // A connection that looks idle may have a request in transit. So requests get a moment to
    // arrive, and a response that ends their connection.
    if all_have_ended(slots, SHUTDOWN_GRACE).await {
        return;
    }
    slots.finish(Order::Finish);
    if !all_have_ended(slots, slots.limits().drain_timeout).await {
        slots.finish(Order::Cut);
        tracing::warn!("requests in flight did not finish in time and were aborted");
    }
}

async fn all_have_ended(slots: &Slots, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    while !slots.are_empty() {
        if Instant::now() >= deadline {
            return false;
        }
        slots.sweep();
        tokio::time::sleep(SHUTDOWN_PAUSE).await;
    }
    true
}
