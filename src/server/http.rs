//! Connections: accepting them within a limit, limits for each of them, and a graceful shutdown.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Longest head of a request, in bytes; the smallest that hyper allows.
const HEAD_LEN_MAX: usize = 8192;

/// Most header fields of a request.
const HEADERS_MAX: usize = 64;

/// Time-out from the end of a response to the end of the next request's head. hyper has one timer
/// for the idle time and for reading the head.
const NEXT_HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// How long sent data may stay unacknowledged before the connection is closed. It bounds how long a
/// client that does not read occupies a slot.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections that wait in the kernel to be accepted; it limits this to `net.core.somaxconn`.
const BACKLOG: i32 = 65_535;

/// How long requests that are in transit when the shutdown begins are still answered.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// Pause after accepting failed (no file descriptor, no memory).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Limits on connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time; further ones wait in the kernel until one ends.
    pub connections_max: usize,
    /// How long requests in flight may take once the shutdown has begun.
    pub drain_timeout: Duration,
}

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
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves connections until `shutdown` resolves; then closes the idle ones, lets requests in flight
/// finish within the drain time-out, and returns.
pub async fn serve_connections<H, F, B>(
    listener: TcpListener,
    limits: Limits,
    handler: H,
    shutdown: impl Future<Output = ()>,
) where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut shutdown => break,
        };
        let (stream, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let handler = handler.clone();
        let service = service_fn(move |request| {
            let response = handler(request);
            async move { Ok::<_, Infallible>(response.await) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(NEXT_HEAD_TIMEOUT)
            .max_buf_size(HEAD_LEN_MAX)
            .max_headers(HEADERS_MAX);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(slot);
        });
    }
    drop(listener);
    // hyper closes a connection that looks idle, although a request may be in transit on it. So
    // requests get a moment to arrive, and a response that ends their connection.
    let grace = tokio::time::Instant::now() + SHUTDOWN_GRACE;
    while graceful.count() > 0 && tokio::time::Instant::now() < grace {
        tokio::time::sleep(SHUTDOWN_GRACE / 50).await;
    }
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in flight did not finish in time and were aborted");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_TIMEOUT))?;
    Ok((stream, slot))
}
