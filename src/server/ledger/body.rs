//! The response body of a ledger, and the channel that fills it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Pieces that wait for the client: one is written while the next is made.
const PIECES_WAITING: usize = 2;

/// How long the client may leave a piece unread. It bounds how long one that does not read keeps
/// others from reading theirs.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The lines of a ledger: the sale, each accepted attempt in the order of acceptance, the counts.
#[derive(Debug)]
pub struct LedgerBody {
    pieces: mpsc::Receiver<Piece>,
    complete: bool,
}

/// Some lines of a ledger.
#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    is_last: bool,
}

/// Where the pieces of a body are put.
#[derive(Debug)]
pub(super) struct Pieces(mpsc::Sender<Piece>);

/// The ledger cannot be completed: the client does not read it, or the store failed.
#[derive(Debug)]
pub(super) struct Cut;

pub(super) fn channel() -> (Pieces, LedgerBody) {
    let (sender, pieces) = mpsc::channel(PIECES_WAITING);
    (Pieces(sender), LedgerBody { pieces, complete: false })
}

impl Pieces {
    /// Adds a piece when the client has read enough of those before it.
    pub(super) async fn send(&self, bytes: Vec<u8>, is_last: bool) -> Result<(), Cut> {
        let piece = Piece { bytes: bytes.into(), is_last };
        match self.0.send_timeout(piece, UNREAD_TIMEOUT).await {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                tracing::warn!("a ledger was cut off, because its reader does not read it");
                Err(Cut)
            }
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Cut),
        }
    }
}

impl hyper::body::Body for LedgerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.complete {
            return Poll::Ready(None);
        }
        self.pieces.poll_recv(cx).map(|piece| match piece {
            Some(Piece { bytes, is_last }) => {
                self.complete = is_last;
                Some(Ok(Frame::data(bytes)))
            }
            None => {
                self.complete = true;
                // It ends the connection, so that the client does not take the ledger for whole.
                Some(Err(io::Error::other("the ledger was cut off")))
            }
        })
    }
}
