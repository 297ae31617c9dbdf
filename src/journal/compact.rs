//! Compaction: the journal is copied without the records that nobody needs any more, beside the
//! file that goes on being written, and the copy takes its place. Redis rewrites its append-only
//! file in the same way.
//!
//! A crash at any moment leaves one whole file at the journal's path: the old one, or the copy,
//! which is synced before it gets that name. If the copy cannot be made, the old file stays.

use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{Folder, unfinished};
use super::frame::{self, FILE_HEADER_LEN, FileHeader, HEADER_LEN};
use super::frame_reader::{read_frame, read_header};
use super::{DiskFile, Extent};

/// Shortest file that is compacted, in bytes. Redis has the same limit for its append-only file
/// (`auto-aof-rewrite-min-size`).
const COMPACT_LEN_MIN: u64 = 64 << 20;

/// What was committed during the copying is copied in rounds, until no more is left than this, in
/// bytes: the writer copies the rest, and commits nothing meanwhile.
const REST_LEN_MAX: u64 = 1 << 20;

/// Bytes that a copy leaves free on the disk, for what is committed meanwhile.
const FREE_MIN: u64 = 64 << 20;

/// Bytes that are copied between two looks at what is free.
const LOOK_LEN: u64 = 1 << 20;

/// Rounds at most, if more is committed in each of them.
const ROUNDS_MAX: usize = 16;

/// Bytes that are read or written at a time.
const BUFFER_LEN: usize = 1 << 18;

/// Whether a file should be compacted: it is long, at least half of its records are not needed, and
/// there are at least twice as many as the last compaction has left. So compacting costs a constant
/// time for each record.
pub(super) fn is_worthwhile(extent: Extent, needed: u64) -> bool {
    let left = needed.max(extent.kept);
    extent.len >= COMPACT_LEN_MIN && left.saturating_mul(2) <= extent.records
}

/// What a copy leaves out.
#[derive(Debug, Clone, Copy, Default)]
struct Removed {
    bytes: u64,
    records: u64,
    /// Records that were kept.
    kept: u64,
}

/// A copy of the journal that is to take its place.
#[derive(Debug)]
pub(super) struct Compacted {
    folder: Arc<dyn Folder>,
    path: PathBuf,
    /// The journal's file, to read.
    old: Box<dyn DiskFile>,
    file: Box<dyn DiskFile>,
    /// How far the old file is copied, in bytes.
    copied_to: u64,
    /// How much of the old file is left out.
    removed: Removed,
}

impl Compacted {
    /// Copies the records of the journal at `path`, those that are kept of what is committed at
    /// first, and all that are committed meanwhile.
    ///
    /// # Errors
    /// When the copy cannot be made.
    pub(super) fn make(
        folder: Arc<dyn Folder>,
        path: &Path,
        committed: impl Fn() -> Extent,
        keep: impl FnMut(u64, &[u8]) -> io::Result<bool>,
    ) -> io::Result<Self> {
        let old = folder.read(path)?;
        let file = folder.create(&unfinished(path))?;
        let (path, removed) = (path.to_owned(), Removed::default());
        let mut copy = Self { folder, path, old, file, copied_to: 0, removed };
        match copy.fill(committed, keep) {
            Ok(()) => Ok(copy),
            Err(error) => {
                copy.discard();
                Err(error)
            }
        }
    }

    fn fill(
        &mut self,
        committed: impl Fn() -> Extent,
        keep: impl FnMut(u64, &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        self.copy_kept(committed(), keep)?;
        for _ in 0..ROUNDS_MAX {
            let end = committed().len;
            check_room(&*self.folder, &self.path)?;
            self.copy_to(end)?;
            if committed().len - end <= REST_LEN_MAX {
                break;
            }
        }
        self.file.sync_data()
    }

    /// Copies the frames that are kept, and writes the header.
    fn copy_kept(
        &mut self,
        until: Extent,
        mut keep: impl FnMut(u64, &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(BUFFER_LEN, &mut self.old);
        let changed = || io::Error::other("the file does not have the records that were written");
        let header = read_header(&mut reader).ok_or_else(changed)?;
        let mut writer = BufWriter::with_capacity(BUFFER_LEN, &mut self.file);
        // A header that no file has, until all is known.
        writer.write_all(&[0; FILE_HEADER_LEN])?;
        let (mut next_seq, mut read, mut kept) = (header.first_seq, Extent::EMPTY, Extent::EMPTY);
        let (mut payload, mut frame) = (Vec::new(), Vec::new());
        while read.len < until.len {
            let seq = read_frame(&mut reader, &mut payload)?.ok_or_else(changed)?;
            next_seq = next_seq.max(seq + 1);
            let len = (HEADER_LEN + payload.len()) as u64;
            read.add(1, len);
            if keep(seq, &payload)? {
                if kept.len / LOOK_LEN != (kept.len + len) / LOOK_LEN {
                    check_room(&*self.folder, &self.path)?;
                }
                kept.add(1, len);
                frame.clear();
                frame::encode(&mut frame, seq, seq, &payload);
                writer.write_all(&frame)?;
            }
        }
        writer.flush()?;
        drop(writer);
        let header = FileHeader { first_seq: next_seq, kept_len: kept.len - Extent::EMPTY.len };
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header.encode())?;
        self.file.seek(SeekFrom::Start(kept.len))?;
        self.copied_to = read.len;
        self.removed = Removed {
            bytes: read.len - kept.len,
            records: read.records - kept.records,
            kept: kept.records,
        };
        Ok(())
    }

    /// Copies what follows as it is.
    fn copy_to(&mut self, end: u64) -> io::Result<()> {
        self.old.seek(SeekFrom::Start(self.copied_to))?;
        let missing = end - self.copied_to;
        let mut reader = BufReader::with_capacity(BUFFER_LEN, &mut self.old).take(missing);
        if io::copy(&mut reader, &mut self.file)? != missing {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.copied_to = end;
        Ok(())
    }

    /// Puts the copy in the place of the journal's file, of which so much is committed, when no
    /// record is being written. Returns the file to go on with and its extent, or `None` if the old
    /// one stays.
    ///
    /// # Errors
    /// When it is unknown which of the two files a restart would find.
    pub(super) fn replace(
        mut self,
        old: Extent,
    ) -> io::Result<Option<(Box<dyn DiskFile>, Extent)>> {
        let journal = self.path.display().to_string();
        if let Err(error) = self.rename(old) {
            tracing::warn!(journal, %error, "the journal was not compacted");
            self.discard();
            return Ok(None);
        }
        self.folder.sync_parent(&self.path)?;
        let Removed { bytes, records, kept } = self.removed;
        let extent = Extent { len: old.len - bytes, records: old.records - records, kept };
        tracing::info!(journal, bytes_before = old.len, bytes = extent.len, "compacted");
        Ok(Some((self.file, extent)))
    }

    fn rename(&mut self, old: Extent) -> io::Result<()> {
        self.copy_to(old.len)?;
        self.file.sync_all()?;
        self.folder.rename(&unfinished(&self.path), &self.path)
    }

    /// Removes a copy that is not needed.
    fn discard(self) {
        // If it cannot be removed, the next opening of the journal removes it.
        let _ = self.folder.remove(&unfinished(&self.path));
    }
}

/// Checks that the copy does not take the room that the journal itself needs.
fn check_room(folder: &dyn Folder, path: &Path) -> io::Result<()> {
    if folder.free(path)? >= FREE_MIN {
        return Ok(());
    }
    let message = "the disk has no room for a copy of the journal";
    Err(io::Error::new(io::ErrorKind::StorageFull, message))
}
