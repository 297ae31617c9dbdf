//! One user's connection: opens it, sends, reads the whole answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::stats::ErrorKind;

use super::response::{Parsed, parse};

/// What a read buffer begins with, in bytes: a usual answer fits.
const BUFFER_LEN: usize = 1024;

/// Why there is no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// Bytes of the request that were handed to the kernel: with none, it had no effect.
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    pub(super) body: std::borrow::Cow<'a, [u8]>,
    pub(super) bytes_received: u64,
    pub(super) keep_alive: bool,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr, limit: Duration) -> Result<Self, ErrorKind> {
        let stream = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(connect_error(&error)),
            Err(_) => return Err(ErrorKind::ConnectTimeout),
        };
        // Only a matter of latency: without it the kernel may hold a request back.
        let _ = stream.set_nodelay(true);
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER_LEN) })
    }

    /// Whether the server has closed the connection since the last answer, or sent what nobody
    /// asked for: either way it cannot be used.
    pub(super) fn is_stale(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        !read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends one request and reads its answer. After a failure the connection is of no use.
    pub(super) async fn exchange(
        &mut self,
        request: &[u8],
        limit: Duration,
    ) -> Result<Reply<'_>, Failure> {
        let deadline = Instant::now() + limit;
        self.buffer.clear();
        let mut bytes_sent = 0;
        let sending = async {
            while bytes_sent < request.len() {
                match self.stream.write(&request[bytes_sent..]).await {
                    Ok(0) | Err(_) => return Err(ErrorKind::Reset),
                    Ok(written) => bytes_sent += written,
                }
            }
            Ok(())
        };
        let sent = timeout_at(deadline, sending).await.unwrap_or(Err(ErrorKind::Timeout));
        let bytes_sent = bytes_sent as u64;
        if let Err(kind) = sent {
            return Err(Failure { kind, bytes_sent, bytes_received: 0 });
        }
        let read = timeout_at(deadline, read_whole(&mut self.stream, &mut self.buffer)).await;
        let bytes_received = self.buffer.len() as u64;
        let failure = |kind| Failure { kind, bytes_sent, bytes_received };
        let at_end = read.unwrap_or(Err(ErrorKind::Timeout)).map_err(failure)?;
        match parse(&self.buffer, at_end) {
            Ok(Parsed::Whole { status, body, keep_alive, len }) => {
                let keep_alive = keep_alive && !at_end && len == self.buffer.len();
                Ok(Reply { status, body, bytes_received, keep_alive })
            }
            Ok(Parsed::Partial) => Err(failure(ErrorKind::Reset)),
            Err(_) => Err(failure(ErrorKind::Protocol)),
        }
    }
}

/// Reads until the buffer holds a whole answer, and says whether the server closed after it.
async fn read_whole(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<bool, ErrorKind> {
    loop {
        let at_end = match stream.read_buf(buffer).await {
            Ok(len) => len == 0,
            Err(_) => return Err(ErrorKind::Reset),
        };
        match parse(buffer, at_end) {
            Ok(Parsed::Whole { .. }) => return Ok(at_end),
            Ok(Parsed::Partial) if at_end => return Err(ErrorKind::Reset),
            Ok(Parsed::Partial) => {}
            Err(_) => return Err(ErrorKind::Protocol),
        }
    }
}

fn connect_error(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorKind::ConnectRefused,
        io::ErrorKind::TimedOut => ErrorKind::ConnectTimeout,
        _ => ErrorKind::ConnectFailed,
    }
}
