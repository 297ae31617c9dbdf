//! Recovery: replays intact records, removes a torn tail, and reports damage as an error.

use std::io::SeekFrom;
use std::path::Path;

use super::frame::{HEADER_LEN, Header};
use super::read_ahead::{self, Replay};
use super::{BATCH_BYTES_MAX, DiskFile, Extent, JournalError};

/// Unit in which a disk loses or keeps what was not synced, in bytes.
const SECTOR_LEN: usize = 512;

/// Where appending continues.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recovered {
    pub(super) next_seq: u64,
    /// Where the next record is written.
    pub(super) extent: Extent,
    /// Length in bytes of the torn tail that was removed.
    pub(super) cut_bytes: u64,
}

/// Replays every intact record into `each`, removes a torn tail, and leaves the file at its end.
pub(super) fn recover(
    file: &mut dyn DiskFile,
    path: &Path,
    each: &mut Replay<'_>,
) -> Result<Recovered, JournalError> {
    let io_error = |cause| JournalError::Io { path: path.to_owned(), cause };
    let file_len = file.size().map_err(io_error)?;
    let (seq, extent) = read_ahead::replay(file, path, each)?;
    let offset = extent.len;
    let tail_len = file_len - offset;
    if tail_len > 0 {
        let damaged = || JournalError::Damaged { path: path.to_owned(), offset, seq };
        if tail_len > BATCH_BYTES_MAX as u64 {
            return Err(damaged());
        }
        let mut tail = vec![0; tail_len as usize];
        file.seek(SeekFrom::Start(offset)).map_err(io_error)?;
        file.read_exact(&mut tail).map_err(io_error)?;
        if !is_torn(&tail, offset, seq) {
            return Err(damaged());
        }
        file.set_size(offset).map_err(io_error)?;
    }
    // The records may have been written and not synced before a crash. From here on they count as
    // committed, so they are synced.
    file.sync_all().map_err(io_error)?;
    file.seek(SeekFrom::Start(offset)).map_err(io_error)?;
    Ok(Recovered { next_seq: seq, extent, cut_bytes: tail_len })
}

/// Whether a tail that does not begin with the intact record `seq` is an unfinished write.
///
/// It is none if a later batch follows, because that batch was started after this one had been
/// synced. It is one if the file ends inside the record, or if sectors of it never reached the disk
/// and read as zeros. Anything else was written completely and has changed since.
fn is_torn(tail: &[u8], offset: u64, seq: u64) -> bool {
    let whole_frames = (1..tail.len()).filter_map(|at| {
        whole_frame(&tail[at..]).filter(|header| header.seq > seq).map(|header| (at, header))
    });
    let mut followers = whole_frames.peekable();
    let broken_until = followers.peek().map(|(at, _)| *at);
    if followers.any(|(_, header)| header.batch > seq) {
        return false;
    }
    if begins_empty(tail, offset) {
        return true;
    }
    match broken_until {
        Some(at) => has_empty_sector(&tail[..at], offset),
        None => ends_inside(tail) || has_empty_sector(tail, offset) || ends_empty(tail, offset),
    }
}

/// Whether the sector in which the broken record begins has only zeros of it: it reached the disk
/// without the record, since no intact record begins with a zero.
fn begins_empty(tail: &[u8], offset: u64) -> bool {
    let first_len = SECTOR_LEN - (offset % SECTOR_LEN as u64) as usize;
    tail[..first_len.min(tail.len())].iter().all(|byte| *byte == 0)
}

/// The header of the frame at the start of `bytes`, if the frame is intact.
fn whole_frame(bytes: &[u8]) -> Option<Header> {
    let header = Header::decode(bytes.first_chunk()?)?;
    let payload = bytes.get(HEADER_LEN..HEADER_LEN + header.payload_len)?;
    header.matches(payload).then_some(header)
}

fn ends_inside(tail: &[u8]) -> bool {
    tail.first_chunk().is_none_or(|header| {
        Header::decode(header).is_some_and(|header| tail.len() < HEADER_LEN + header.payload_len)
    })
}

/// Whether the last sector of a file, whose last record is broken, has zeros only. A file system
/// may make the file longer before it writes the sector. However short that part is, an intact
/// record does not end with zeros, since its content is text.
fn ends_empty(tail: &[u8], offset: u64) -> bool {
    let end = offset + tail.len() as u64;
    let last_len = ((end - 1) % SECTOR_LEN as u64 + 1) as usize;
    let last = &tail[tail.len() - last_len.min(tail.len())..];
    last.iter().all(|byte| *byte == 0)
}

/// Whether `bytes`, which start at `offset` in the file, contain a sector of zeros only. Of the
/// sectors at the two ends, only the part inside `bytes` is checked, and only if it is at least as
/// long as a frame's header: shorter runs of zeros occur in intact frames.
fn has_empty_sector(bytes: &[u8], offset: u64) -> bool {
    let first_len = SECTOR_LEN - (offset % SECTOR_LEN as u64) as usize;
    let (first, rest) = bytes.split_at(first_len.min(bytes.len()));
    let mut parts = std::iter::once(first).chain(rest.chunks(SECTOR_LEN));
    parts.any(|part| part.len() >= HEADER_LEN && part.iter().all(|byte| *byte == 0))
}
