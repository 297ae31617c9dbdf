//! The file's format. Integers are little-endian, checksums are CRC-32 (IEEE).
//!
//! ```text
//! file   = "SKJOURN3"  first_seq: u64  kept_len: u64  crc(of the 24 bytes before): u32
//!          then kept_len bytes of kept frames, and all frames from first_seq on
//! frame  = 0xf7: u8  payload_len: u24  payload_crc: u32  seq: u64  batch: u64
//!          crc(of the 24 bytes before): u32   payload
//! ```
//!
//! A frame does not begin with a zero, so a sector of zeros after the last intact frame never
//! reached the disk, however little of the sector is the next frame's.
//! `seq` increases by one. Only among the kept frames, which a compaction has left of those before
//! `first_seq`, are numbers missing. `batch` is the first `seq` of the group that was written
//! together. A frame of a later batch proves that every earlier batch was synced; this
//! distinguishes damage from a torn tail.

/// Bytes before the first frame.
pub(super) const FILE_HEADER_LEN: usize = 28;
/// Bytes before a frame's payload.
pub(super) const HEADER_LEN: usize = 28;
/// Longest payload of one record, in bytes; an attempt or a decision takes a few hundred.
pub const RECORD_LEN_MAX: usize = 64 << 10;

/// The first byte of a frame.
const FRAME_MARK: u8 = 0xf7;

const MAGIC: &[u8; 8] = b"SKJOURN3";

/// The highest sequence number that a file may begin with: so far from the end that no journal gets
/// there. The same holds for the length of its kept frames.
const NUMBER_MAX: u64 = u64::MAX >> 1;

/// The header of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileHeader {
    /// The sequence number of the first record after the kept ones.
    pub(super) first_seq: u64,
    /// Length in bytes of the kept frames.
    pub(super) kept_len: u64,
}

impl FileHeader {
    pub(super) fn encode(self) -> [u8; FILE_HEADER_LEN] {
        let mut header = [0; FILE_HEADER_LEN];
        header[..8].copy_from_slice(MAGIC);
        header[8..16].copy_from_slice(&self.first_seq.to_le_bytes());
        header[16..24].copy_from_slice(&self.kept_len.to_le_bytes());
        let crc = crc32fast::hash(&header[..24]);
        header[24..].copy_from_slice(&crc.to_le_bytes());
        header
    }

    /// Reads a header; `None` if it is not that of a journal.
    pub(super) fn decode(bytes: &[u8; FILE_HEADER_LEN]) -> Option<Self> {
        let header = Self { first_seq: u64_at(bytes, 8), kept_len: u64_at(bytes, 16) };
        let is_bounded = header.first_seq.max(header.kept_len) <= NUMBER_MAX;
        (is_bounded && *bytes == header.encode()).then_some(header)
    }
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) payload_len: usize,
    payload_crc: u32,
    pub(super) seq: u64,
    pub(super) batch: u64,
}

impl Header {
    /// Reads a header and checks its checksum.
    pub(super) fn decode(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let payload_len = (u32_at(bytes, 0) >> 8) as usize;
        let is_sound = bytes[0] == FRAME_MARK
            && payload_len <= RECORD_LEN_MAX
            && u32_at(bytes, 24) == crc32fast::hash(&bytes[..24]);
        is_sound.then(|| Self {
            payload_len,
            payload_crc: u32_at(bytes, 4),
            seq: u64_at(bytes, 8),
            batch: u64_at(bytes, 16),
        })
    }

    /// Whether the payload matches the header's length and checksum.
    pub(super) fn matches(&self, payload: &[u8]) -> bool {
        payload.len() == self.payload_len && crc32fast::hash(payload) == self.payload_crc
    }
}

/// Appends one frame to `bytes`.
pub(super) fn encode(bytes: &mut Vec<u8>, seq: u64, batch: u64, payload: &[u8]) {
    let start = bytes.len();
    bytes.reserve(HEADER_LEN + payload.len());
    let len_and_mark = (payload.len() as u32) << 8 | u32::from(FRAME_MARK);
    bytes.extend_from_slice(&len_and_mark.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    bytes.extend_from_slice(&seq.to_le_bytes());
    bytes.extend_from_slice(&batch.to_le_bytes());
    let crc = crc32fast::hash(&bytes[start..]);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(payload);
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
