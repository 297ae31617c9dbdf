//! Sizes and checksums of a run's files: `run.json` records them, so that a file that was changed
//! or belongs to another run is recognised.

use std::fmt;
use std::io::{self, Read, Write};

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

/// The size and the checksum of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The size in bytes.
    pub bytes: u64,
    /// CRC-32 (IEEE 802.3) of the bytes.
    pub crc32: u32,
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes with CRC-32 {:08x}", self.bytes, self.crc32)
    }
}

/// A reader or writer that computes the digest of the bytes that pass through it.
#[derive(Debug)]
pub(super) struct Digesting<T> {
    inner: T,
    hasher: Hasher,
    bytes: u64,
}

impl<T> Digesting<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, hasher: Hasher::new(), bytes: 0 }
    }

    /// The digest of the bytes so far.
    pub(super) fn digest(&self) -> Digest {
        Digest { bytes: self.bytes, crc32: self.hasher.clone().finalize() }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.add(&buffer[..len]);
        Ok(len)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.inner.write(bytes)?;
        self.add(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
