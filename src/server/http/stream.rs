//! A client's TCP stream: its options, and the bytes that pass through it.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::client::Client;

/// Buffers of the kernel for one connection, in bytes; it doubles them for its own records. A
/// request has at most 12 KiB, an answer less than 1 KiB. Without a size of their own they grow to
/// several MiB for each client that does not read.
pub(super) const BUFFER_LEN: usize = 16 << 10;

/// The send buffer for the ledger, the one long answer: at a round trip of 200 ms, it allows about
/// 1 MiB/s.
const LONG_ANSWER_BUFFER_LEN: usize = 256 << 10;

/// How long sent data may stay unacknowledged before the kernel ends the connection. This also
/// bounds how long it keeps data that was sent before a connection was closed.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(30);

/// Sets the options of an accepted stream, all but the size of its receive buffer. It has that from
/// its listener: by now, the client may have been promised more room.
pub(super) fn set_options(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT))?;
    socket.set_send_buffer_size(BUFFER_LEN)
}

/// Whether the client has sent nothing that is still to be read, and has not closed.
pub(super) fn is_silent(stream: &TcpStream) -> bool {
    let peeked = SockRef::from(stream).peek(&mut [MaybeUninit::uninit()]);
    peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Closes with a reset, so that the kernel drops what the client has not received.
pub(super) fn reset(stream: TcpStream) {
    // Without the option it closes all the same, and the kernel drops the data later.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}

/// Closes after the last answer was written. What the client still sends is read and dropped until
/// it closes, too: unread bytes would make the kernel reset the connection, and the client could
/// lose the answer.
pub(super) async fn close(mut stream: TcpStream, linger: Duration) {
    let drained = async {
        stream.shutdown().await?;
        let mut dropped = vec![0; 4096];
        while stream.read(&mut dropped).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // The client has its answer, or is gone.
    let _ = tokio::time::timeout(linger, drained).await;
}

/// A stream that keeps the record of its client's progress.
pub(super) struct Recorded {
    stream: TcpStream,
    /// What was read before.
    first: Vec<u8>,
    client: Arc<Client>,
    is_body_too_long: bool,
}

impl Recorded {
    /// Goes on with a stream of which these bytes were read before.
    pub(super) fn new(stream: TcpStream, first: Vec<u8>, client: Arc<Client>) -> Self {
        Self { stream, first, client, is_body_too_long: false }
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }

    fn record_sent(&mut self, sent: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let len = match &sent {
            Poll::Ready(Ok(len)) => *len as u64,
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        let mut state = self.client.state();
        state.progress.sent(len);
        if std::mem::take(&mut state.needs_larger_buffer) {
            drop(state);
            // With the smaller buffer, the answer takes longer.
            let _ = SockRef::from(&self.stream).set_send_buffer_size(LONG_ANSWER_BUFFER_LEN);
        }
        sent
    }
}

impl AsyncRead for Recorded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_body_too_long {
            let error = io::Error::new(io::ErrorKind::FileTooLarge, "the body is too long");
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        if self.first.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        } else {
            let taken = self.first.len().min(buf.remaining());
            buf.put_slice(&self.first[..taken]);
            self.first.drain(..taken);
        }
        let received = &buf.filled()[before..];
        let is_too_long = self.client.state().progress.received(received);
        self.is_body_too_long = is_too_long;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.record_sent(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.record_sent(sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes whenever its own buffer is empty.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.client.state().progress.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
