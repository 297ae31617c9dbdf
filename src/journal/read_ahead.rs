//! Replaying the records of a file while a thread reads ahead and checks the frames. After a
//! restart, buyers wait for this.

use std::io::BufReader;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use super::frame::{FILE_HEADER_LEN, HEADER_LEN};
use super::frame_reader::{read_frame, read_header};
use super::{DiskFile, Extent, JournalError};

/// Bytes of records that are handed over together.
const CHUNK_LEN: usize = 256 << 10;

/// Chunks that may wait to be replayed.
const CHUNKS_MAX: usize = 4;

/// Bytes that are read from the file at a time.
const BUFFER_LEN: usize = 1 << 20;

/// Replays a record with its sequence number, or returns why it cannot be parsed.
pub(super) type Replay<'a> = dyn FnMut(u64, &[u8]) -> Result<(), String> + 'a;

/// Intact records.
#[derive(Debug, Default)]
struct Chunk {
    payloads: Vec<u8>,
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    seq: u64,
    /// Where its frame begins in the file.
    offset: u64,
    payload: Range<usize>,
}

/// Replays every intact record. Returns the sequence number of the next one, and how far the file
/// is intact.
pub(super) fn replay(
    file: &mut dyn DiskFile,
    path: &Path,
    each: &mut Replay<'_>,
) -> Result<(u64, Extent), JournalError> {
    let io_error = |cause| JournalError::Io { path: path.to_owned(), cause };
    thread::scope(|scope| {
        let (chunks, read) = mpsc::sync_channel::<Chunk>(CHUNKS_MAX);
        let reading = thread::Builder::new().name("journal-read".into());
        let reading = reading.spawn_scoped(scope, move || read_all(file, path, &chunks));
        let reading = reading.map_err(io_error)?;
        for Chunk { payloads, records } in read {
            for Record { seq, offset, payload } in records {
                // On an error, the thread cannot hand over its next chunk, and ends.
                each(seq, &payloads[payload]).map_err(|reason| JournalError::Content {
                    path: path.to_owned(),
                    offset,
                    seq,
                    reason,
                })?;
            }
        }
        reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reads every intact record, unless nobody takes them any more.
fn read_all(
    file: &mut dyn DiskFile,
    path: &Path,
    chunks: &SyncSender<Chunk>,
) -> Result<(u64, Extent), JournalError> {
    let mut chunk = Chunk::default();
    let end = read(file, path, |record, payload| {
        let begin = chunk.payloads.len();
        chunk.payloads.extend_from_slice(payload);
        chunk.records.push(Record { payload: begin..chunk.payloads.len(), ..record });
        let is_full = chunk.payloads.len() >= CHUNK_LEN;
        !is_full || chunks.send(std::mem::take(&mut chunk)).is_ok()
    });
    // What comes before damage is replayed all the same: an error in it is the first one.
    let _ = chunks.send(chunk);
    end
}

/// Reads every intact record, as long as `take` returns `true`.
fn read(
    file: &mut dyn DiskFile,
    path: &Path,
    mut take: impl FnMut(Record, &[u8]) -> bool,
) -> Result<(u64, Extent), JournalError> {
    let io_error = |cause| JournalError::Io { path: path.to_owned(), cause };
    let reader = &mut BufReader::with_capacity(BUFFER_LEN, file);
    let header = read_header(reader).ok_or_else(|| JournalError::Foreign { path: path.into() })?;
    let kept_end = FILE_HEADER_LEN as u64 + header.kept_len;
    let mut extent = Extent::EMPTY;
    let mut payload = Vec::new();
    let mut next_seq = 0;
    loop {
        let offset = extent.len;
        let is_kept = offset < kept_end;
        if offset == kept_end {
            next_seq = header.first_seq;
        }
        let read = read_frame(reader, &mut payload).map_err(io_error)?;
        let added = (HEADER_LEN + payload.len()) as u64;
        let seq = match read {
            Some(seq) if !is_kept && seq == next_seq => seq,
            None | Some(_) if !is_kept => return Ok((next_seq, extent)),
            Some(seq)
                if (next_seq..header.first_seq).contains(&seq) && offset + added <= kept_end =>
            {
                seq
            }
            // All kept frames were synced before the file got its name.
            _ => {
                return Err(JournalError::Damaged { path: path.to_owned(), offset, seq: next_seq });
            }
        };
        extent.add(1, added);
        if is_kept {
            extent.kept += 1;
        }
        next_seq = seq + 1;
        if !take(Record { seq, offset, payload: 0..0 }, &payload) {
            return Ok((next_seq, extent));
        }
    }
}
