//! One direction of a proxy's connection: bytes are read as they come, and written when the faults
//! let them arrive.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::profile::Way;
use crate::random::{Draw, uniform};

use super::toxics::{Seen, Toxics};

/// The bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// Chunks on their way, at most: what a sender may have sent and the receiver not received.
const CHUNKS_MAX: usize = 256;

/// The part of a second that a limit of bandwidth waits for at a time.
const PIECES_PER_S: u64 = 50;

/// Lateness of timers that is made up for; what is longer is a pause of the sender.
const LATE_MAX: Duration = Duration::from_millis(50);

/// Why a connection ends before both sides have closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// One side has reset it.
    Reset,
    /// A fault closes it.
    Closed,
}

/// Bytes on their way.
struct Chunk {
    read: Instant,
    bytes: Vec<u8>,
}

/// Passes the bytes of one direction until the sender closes it. Jitter is drawn by the number of
/// the connection.
pub(super) async fn pass(
    mut from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    way: Way,
    (number, seen): (u64, Seen),
) -> Result<(), Ended> {
    let (sender, chunks) = mpsc::channel(CHUNKS_MAX);
    let read = async move {
        loop {
            let mut bytes = Vec::with_capacity(CHUNK);
            match from.read_buf(&mut bytes).await {
                Ok(0) => return Ok(()),
                Ok(_) => {
                    let chunk = Chunk { read: Instant::now(), bytes };
                    sender.send(chunk).await.map_err(|_| Ended::Closed)?;
                }
                Err(_) => return Err(Ended::Reset),
            }
        }
    };
    let mut writer = Writer { to, way, seen, number, drawn: 0, limit: None, due: Instant::now() };
    tokio::try_join!(read, writer.write(chunks)).map(|_| ())
}

struct Writer<'a> {
    to: WriteHalf<'a>,
    way: Way,
    seen: Seen,
    /// The number of the connection.
    number: u64,
    /// Delays drawn so far.
    drawn: u64,
    /// The limit of bytes that counts now: the fault's number, and the bytes that are left.
    limit: Option<(u64, u64)>,
    /// When the next bytes may arrive, where bandwidth or slices limit them.
    due: Instant,
}

impl Writer<'_> {
    async fn write(&mut self, mut chunks: mpsc::Receiver<Chunk>) -> Result<(), Ended> {
        while let Some(Chunk { read, bytes }) = chunks.recv().await {
            self.arrives(read).await;
            let mut rest = &*bytes;
            while !rest.is_empty() {
                let piece = self.piece(rest.len()).await?;
                let (now, later) = rest.split_at(piece.bytes);
                self.to.write_all(now).await.map_err(|_| Ended::Reset)?;
                if matches!(self.limit, Some((_, 0))) {
                    return Err(Ended::Closed);
                }
                rest = later;
                self.pause(piece.pause).await;
            }
        }
        let delay = self.seen.borrow().slow_close();
        sleep(delay).await;
        self.unblocked().await;
        // The receiver may have closed its side before.
        let _ = self.to.shutdown().await;
        Ok(())
    }

    /// Waits until bytes that were read at this moment arrive.
    async fn arrives(&mut self, read: Instant) {
        let draw = uniform(self.number, Draw::LinkJitter, self.drawn);
        self.drawn += 1;
        loop {
            let latency = self.seen.borrow_and_update().latency(self.way, draw);
            if latency.is_zero() {
                return;
            }
            tokio::select! {
                () = sleep_until(read + latency) => return,
                changed = self.seen.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn unblocked(&mut self) {
        let way = self.way;
        // The proxy is gone: the connection ends with its runtime.
        let _ = self.seen.wait_for(|toxics| !toxics.blocks(way)).await;
    }

    /// How many of these bytes arrive now, and the pause after them.
    async fn piece(&mut self, len: usize) -> Result<Piece, Ended> {
        self.unblocked().await;
        let toxics = self.seen.borrow_and_update();
        let limit = toxics.limit(self.way);
        let mut piece = Piece::of(&toxics, self.way, len);
        drop(toxics);
        if let Some((id, bytes)) = limit {
            let (_, left) = self.limit.take_if(|(known, _)| *known == id).unwrap_or((id, bytes));
            if left == 0 {
                return Err(Ended::Closed);
            }
            piece.bytes = piece.bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.limit = Some((id, left - piece.bytes as u64));
        }
        Ok(piece)
    }

    /// Pauses, but not longer than the fault lasts.
    async fn pause(&mut self, pause: Duration) {
        if !pause.is_zero() {
            // From the moment that was due, so that late timers do not add up.
            let now = Instant::now();
            let begins = if now.duration_since(self.due) < LATE_MAX { self.due } else { now };
            self.due = begins + pause;
            tokio::select! {
                () = sleep_until(self.due) => {}
                _ = self.seen.changed() => {}
            }
        }
    }
}

/// Bytes that arrive together.
#[derive(Debug, PartialEq)]
struct Piece {
    bytes: usize,
    pause: Duration,
}

impl Piece {
    /// The first piece of this many bytes.
    fn of(toxics: &Toxics, way: Way, len: usize) -> Self {
        let mut piece = Self { bytes: len, pause: Duration::ZERO };
        if let Some((bytes, pause)) = toxics.slices(way) {
            piece = Self { bytes: len.min(bytes), pause };
        }
        if let Some(bytes_per_s) = toxics.bytes_per_s(way) {
            let most = usize::try_from((bytes_per_s / PIECES_PER_S).max(1)).unwrap_or(usize::MAX);
            piece.bytes = piece.bytes.min(most);
            piece.pause += Duration::from_secs_f64(piece.bytes as f64 / bytes_per_s as f64);
        }
        piece
    }
}
