//! Serving plain requests: they are read in place and answered with one write. hyper serves all
//! others, and finds their bytes untouched.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use hyper::Response;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use crate::api::Refusal;

use super::client::{Client, Order};
use super::handler::{Handler, Plain, PlainAnswer};
use super::plain_answer;
use super::plain_request::{HEADERS_MAX, LEN_MAX, PlainRequest};
use super::slots::Slot;
use super::stream;

thread_local! {
    /// Where the connections of this thread read, one after the other.
    static BUFFER: RefCell<[u8; LEN_MAX]> = const { RefCell::new([0; LEN_MAX]) };
}

/// What becomes of a connection that is given up here.
pub(super) enum Next {
    /// It has begun a request that is not plain with these bytes.
    Other(Vec<u8>),
    /// Its last answer is sent.
    Close,
    /// It was told to end at once.
    Cut,
    /// The client has closed it, or it was idle.
    Ended,
}

/// What a connection has to wait for.
enum Waits<P> {
    /// The handler's answer to this.
    Answer(P),
    /// The kernel, which has not taken this of an answer.
    Sending { unsent: Vec<u8>, is_last: bool },
    /// Nothing: it is given up.
    Ends(Next),
}

/// What has arrived.
enum Arrived<P> {
    Refused(Refusal),
    Waits(P),
    Other(Vec<u8>),
    End,
}

/// Answers plain requests until the connection ends, or another request comes.
pub(super) async fn serve<H: Handler>(stream: &mut TcpStream, slot: &Slot, handler: &H) -> Next {
    let client = &*slot.client;
    loop {
        let (unsent, is_last) = match poll_fn(|cx| poll_serve(stream, slot, handler, cx)).await {
            Waits::Ends(next) => return next,
            Waits::Sending { unsent, is_last } => (Some(unsent), is_last),
            Waits::Answer(plain) => {
                let answer = handler.answer_plain(plain);
                let response = match wait_for(answer, stream, client).await {
                    Ok(response) => response,
                    Err(next) => return next,
                };
                plain_answer::send(stream, &response, is_last_answer(slot))
            }
        };
        if let Some(unsent) = unsent
            && let Err(next) = send_rest(stream, client, &unsent).await
        {
            return next;
        }
        client.state().progress.whole_answer();
        if is_last {
            return end(stream);
        }
    }
}

/// Whether the connection ends after the present answer.
fn is_last_answer(slot: &Slot) -> bool {
    slot.slots().are_finishing() || slot.slots().should_yield(&slot.client)
}

/// What becomes of a connection after its last answer.
fn end(stream: &TcpStream) -> Next {
    // There is nothing left to read that would make the kernel reset the connection.
    if stream::is_silent(stream) { Next::Ended } else { Next::Close }
}

/// Refuses requests, until something has to be waited for.
fn poll_serve<H: Handler>(
    stream: &mut TcpStream,
    slot: &Slot,
    handler: &H,
    cx: &mut Context<'_>,
) -> Poll<Waits<H::Plain>> {
    let client = &*slot.client;
    loop {
        let Poll::Ready(arrived) = poll_read(stream, handler, cx) else {
            match ready!(client.poll_ordered(cx)) {
                Order::Cut => return Poll::Ready(Waits::Ends(Next::Cut)),
                Order::EndIfIdle | Order::Finish if stream::is_silent(stream) => {
                    return Poll::Ready(Waits::Ends(Next::Ended));
                }
                Order::Rest | Order::EndIfIdle | Order::Finish => continue,
            }
        };
        let refusal = match arrived {
            Arrived::Refused(refusal) => refusal,
            Arrived::Waits(plain) => {
                client.state().progress.whole_request();
                return Poll::Ready(Waits::Answer(plain));
            }
            Arrived::Other(first) => return Poll::Ready(Waits::Ends(Next::Other(first))),
            Arrived::End => return Poll::Ready(Waits::Ends(Next::Ended)),
        };
        let (now, is_last) = (Instant::now(), is_last_answer(slot));
        let unsent = plain_answer::refuse(stream, refusal, is_last, now);
        if let Some(unsent) = unsent {
            client.state().progress.whole_request();
            return Poll::Ready(Waits::Sending { unsent, is_last });
        }
        client.state().progress.whole_exchange(now);
        if is_last {
            return Poll::Ready(Waits::Ends(end(stream)));
        }
    }
}

/// Reads a request, if one has arrived.
fn poll_read<H: Handler>(
    stream: &mut TcpStream,
    handler: &H,
    cx: &mut Context<'_>,
) -> Poll<Arrived<H::Plain>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut read = ReadBuf::new(buffer);
        if ready!(Pin::new(stream).poll_read(cx, &mut read)).is_err() || read.filled().is_empty() {
            return Poll::Ready(Arrived::End);
        }
        let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let request = PlainRequest::read(read.filled(), &mut headers);
        let plain = request.map_or(Plain::Other, |request| handler.read_plain(&request));
        Poll::Ready(match plain {
            Plain::Refused(refusal) => Arrived::Refused(refusal),
            Plain::Waits(plain) => Arrived::Waits(plain),
            Plain::Other => Arrived::Other(read.filled().to_vec()),
        })
    })
}

/// Waits for an answer, unless the connection ends before.
async fn wait_for(
    mut answer: PlainAnswer<'_>,
    stream: &TcpStream,
    client: &Client,
) -> Result<Response<Bytes>, Next> {
    poll_fn(|cx| {
        if let Poll::Ready(response) = answer.as_mut().poll(cx) {
            return Poll::Ready(Ok(response));
        }
        // As hyper does: nobody waits for an answer to a client that has hung up.
        if has_hung_up(stream, cx) {
            return Poll::Ready(Err(Next::Ended));
        }
        while let Poll::Ready(order) = client.poll_ordered(cx) {
            // Whether the connection ends after the answer is looked up when there is one.
            if order == Order::Cut {
                return Poll::Ready(Err(Next::Cut));
            }
        }
        Poll::Pending
    })
    .await
}

/// Whether the client has closed its side; otherwise the task is woken when it does, or when a
/// further request arrives before.
fn has_hung_up(stream: &TcpStream, cx: &mut Context<'_>) -> bool {
    let mut byte = [0];
    match stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)) {
        Poll::Ready(peeked) => !matches!(peeked, Ok(1..)),
        Poll::Pending => false,
    }
}

/// Sends what the kernel has not taken at once.
async fn send_rest(stream: &TcpStream, client: &Client, mut unsent: &[u8]) -> Result<(), Next> {
    client.state().progress.sent(0);
    while !unsent.is_empty() {
        tokio::select! {
            order = client.ordered() => match order {
                Order::Cut => return Err(Next::Cut),
                Order::Rest | Order::EndIfIdle | Order::Finish => continue,
            },
            writable = stream.writable() => writable.map_err(|_| Next::Ended)?,
        }
        match stream.try_write(unsent) {
            Ok(len) => {
                client.state().progress.sent(len as u64);
                unsent = &unsent[len..];
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return Err(Next::Ended),
        }
    }
    Ok(())
}
