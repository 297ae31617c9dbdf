//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::answer_body::AnswerBody;
use super::client::Order;
use super::handler::Handler;
use super::plain;
use super::slots::Slot;
use super::stream::{self, Recorded};

/// Longest head of a request, in bytes; the smallest that hyper allows. Its buffer for answers is
/// of this length, too: of the answers to pipelined requests, it keeps no more than one that the
/// kernel has not taken.
const HEAD_LEN_MAX: usize = 8192;

/// Most header fields of a request.
const HEADERS_MAX: usize = 64;

/// Marks a request of which it is unknown where it ends, since it has both a `Content-Length` and a
/// `Transfer-Encoding`, of which hyper shows only the second.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct AmbiguousLength;

/// What becomes of a connection whose HTTP state is given up.
enum Next {
    /// It waits for the next request without buffers.
    Rest(TcpStream),
    Close(TcpStream),
    Ended,
}

/// Serves the requests of one connection. It has buffers only from a request that is not plain
/// until it has been idle for some time; otherwise it costs its socket and this task.
pub(super) async fn serve<H: Handler>(mut stream: TcpStream, slot: Slot, peer: IpAddr, handler: H) {
    let linger = slot.slots().limits().timeouts.linger;
    loop {
        slot.client.state().is_resting = true;
        let first = match plain::serve(&mut stream, &slot, &handler).await {
            plain::Next::Other(first) => first,
            plain::Next::Close => return stream::close(stream, linger).await,
            plain::Next::Cut => return stream::reset(stream),
            plain::Next::Ended => return,
        };
        slot.client.state().is_resting = false;
        // In a box, since the task is as large as the largest of its states.
        let served = Box::pin(serve_busy(stream, first, &slot, peer, handler.clone()));
        match served.await {
            Next::Rest(rested) => stream = rested,
            Next::Close(ended) => return stream::close(ended, linger).await,
            Next::Ended => return,
        }
    }
}

/// Serves requests, of which the first begins with these bytes, until the connection ends, or is
/// idle and told to rest.
async fn serve_busy<H: Handler>(
    stream: TcpStream,
    first: Vec<u8>,
    slot: &Slot,
    peer: IpAddr,
    handler: H,
) -> Next {
    let service = service_fn(|mut request: Request<Incoming>| {
        if slot.client.state().progress.handling() {
            request.extensions_mut().insert(AmbiguousLength);
        }
        let response = handler.answer(peer, request);
        // In a box, which an idle connection does not keep: hyper keeps the room for it.
        Box::pin(async move {
            let mut response = response.await;
            if slot.slots().should_yield(&slot.client) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            let client = Arc::clone(&slot.client);
            Ok::<_, Infallible>(response.map(|body| AnswerBody::new(body, client)))
        })
    });
    let io = TokioIo::new(Recorded::new(stream, first, Arc::clone(&slot.client)));
    let keep_alive = !slot.slots().are_finishing();
    let mut connection = http().keep_alive(keep_alive).serve_connection(io, service);
    loop {
        // The connection first: a request that has arrived is not idleness.
        let order = tokio::select! {
            biased;
            ended = &mut connection => {
                let stream = connection.into_parts().io.into_inner().into_inner();
                // Of a request that has arrived in full, there is nothing left to read.
                let is_idle = slot.client.state().progress.is_idle();
                return match is_idle && stream::is_silent(&stream) || ended.is_err_and(is_gone) {
                    true => Next::Ended,
                    false => Next::Close(stream),
                };
            }
            order = slot.client.ordered() => order,
        };
        let is_idle = slot.client.state().progress.is_idle();
        if order == Order::Finish && !is_idle {
            Pin::new(&mut connection).graceful_shutdown();
        }
        if order != Order::Cut && !is_idle {
            continue;
        }
        let stream = connection.into_parts().io.into_inner().into_inner();
        return match order {
            Order::Cut => {
                stream::reset(stream);
                Next::Ended
            }
            Order::EndIfIdle | Order::Finish if stream::is_silent(&stream) => Next::Ended,
            _ => Next::Rest(stream),
        };
    }
}

/// Whether the connection ended since the client closed it.
fn is_gone(error: hyper::Error) -> bool {
    error.is_incomplete_message()
}

/// hyper's limits. It has no timer: the sweep over all connections watches the times.
pub(super) fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.header_read_timeout(None).max_buf_size(HEAD_LEN_MAX).max_headers(HEADERS_MAX);
    http
}
