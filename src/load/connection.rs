//! One user's connection: opens it, sends, reads the whole answer.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use crate::stats::ErrorKind;

use super::Dialer;
use super::response::{ProtocolError, Response, ResponseReader};
use super::stream::Stream;

/// Why there is no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// Bytes of the request that may have left this machine: with none, it had no effect.
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
    pub(super) bytes_received: u64,
    pub(super) keep_alive: bool,
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    reader: ResponseReader,
}

impl Connection {
    pub(super) async fn open(dialer: &Dialer, limit: Duration) -> Result<Self, ErrorKind> {
        let stream = dialer.open(limit).await?;
        Ok(Self { stream, reader: ResponseReader::new() })
    }

    /// Whether the server has closed the connection since the last answer, or sent what nobody
    /// asked for: either way it cannot be used.
    pub(super) fn is_stale(&mut self) -> bool {
        self.stream.is_readable()
    }

    /// Sends one request and reads its answer. After a failure the connection is of no use.
    pub(super) async fn exchange(
        &mut self,
        request: &[u8],
        limit: Duration,
    ) -> Result<Reply<'_>, Failure> {
        let deadline = Instant::now() + limit;
        self.reader.clear();
        let mut bytes_sent = 0;
        let sent = timeout_at(deadline, self.stream.send(request, &mut bytes_sent)).await;
        let bytes_sent = bytes_sent as u64;
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                return Err(Failure { kind: ErrorKind::Reset, bytes_sent, bytes_received: 0 });
            }
            Err(_) => {
                return Err(Failure { kind: ErrorKind::Timeout, bytes_sent, bytes_received: 0 });
            }
        }
        let read = timeout_at(deadline, read_whole(&mut self.stream, &mut self.reader)).await;
        let bytes_received = self.reader.received() as u64;
        let failure = |kind| Failure { kind, bytes_sent, bytes_received };
        let response = read.unwrap_or(Err(ErrorKind::Timeout)).map_err(failure)?;
        let Response { status, keep_alive, .. } = response;
        Ok(Reply { status, body: self.reader.body(), bytes_received, keep_alive })
    }
}

/// Reads until there is a whole answer.
async fn read_whole(
    stream: &mut Stream,
    reader: &mut ResponseReader,
) -> Result<Response, ErrorKind> {
    loop {
        let at_end = match stream.read_buf(&mut reader.room()).await {
            Ok(len) => len == 0,
            Err(_) => return Err(ErrorKind::Reset),
        };
        match reader.parse(at_end) {
            Ok(Some(response)) => return Ok(response),
            Ok(None) if at_end => return Err(ErrorKind::Reset),
            Ok(None) => {}
            Err(ProtocolError) => return Err(ErrorKind::Protocol),
        }
    }
}
