//! Reading a journal's file, one frame after the other.

use std::io::{self, Read};

use super::frame::{FILE_HEADER_LEN, FileHeader, HEADER_LEN, Header};

/// Reads the header of a file; `None` if it is not a journal.
pub(super) fn read_header(reader: &mut impl Read) -> Option<FileHeader> {
    let mut header = [0; FILE_HEADER_LEN];
    reader.read_exact(&mut header).ok()?;
    FileHeader::decode(&header)
}

/// Reads a record into `payload`, and returns its sequence number; `None` at the end or when it is
/// not intact.
pub(super) fn read_frame(reader: &mut impl Read, payload: &mut Vec<u8>) -> io::Result<Option<u64>> {
    let mut header = [0; HEADER_LEN];
    if !read_whole(reader, &mut header)? {
        return Ok(None);
    }
    let Some(header) = Header::decode(&header) else { return Ok(None) };
    payload.resize(header.payload_len, 0);
    let is_intact = read_whole(reader, payload)? && header.matches(payload);
    Ok(is_intact.then_some(header.seq))
}

/// Fills `buffer`; `false` when the file ends before.
fn read_whole(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
