//! Incremental parsing of HTTP/1.1 responses (RFC 9112): [`ResponseReader`].

use std::ops::Range;
use std::time::Duration;

use bytes::BufMut;
use bytes::buf::Limit;
use httparse::{EMPTY_HEADER, Status};

use super::error::ProtocolError;
use super::head::{FIELDS_MAX, Framing, Head, KnownHead};

/// Initial capacity of the buffer, in bytes: a typical answer fits.
const BUFFER_LEN: usize = 1024;

/// Longest head, interim ones before it included, and longest trailer section, in bytes.
const HEAD_LEN_MAX: usize = 16 << 10;

/// Longest body unless another limit is given, in bytes: those of the built-in API have less than
/// 500.
const BODY_LEN_MAX: usize = 64 << 10;

/// Longest line before a chunk, in bytes.
const CHUNK_LINE_LEN_MAX: usize = 1 << 10;

/// A whole response to a request other than HEAD. The reader holds its body:
/// [`ResponseReader::body`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    /// The status: 200 or more.
    pub status: u16,
    /// Whether another request may follow on the connection: the response allows it, its end is
    /// unambiguous, the server has not closed the connection, and there are no bytes after the
    /// response.
    pub keep_alive: bool,
    /// `Retry-After` in seconds, at most 1 h; `None` also if it is a date.
    pub retry_after: Option<Duration>,
    /// Bytes of the response, including its framing and the interim responses before it. Further
    /// bytes in [`ResponseReader::received`] do not belong to it.
    pub len: usize,
}

/// Reads the responses of one connection, one after the other, into a buffer that it reuses:
///
/// 1. [`clear`](Self::clear) before each request,
/// 2. read into [`room`](Self::room),
/// 3. [`parse`](Self::parse), and back to 2 until there is a response or an error.
///
/// Parsing continues where it stopped, so that a body may arrive in many pieces. A typical response
/// allocates nothing: the buffer grows to the longest response of the connection, up to
/// [`Self::LEN_MAX`].
#[derive(Debug)]
pub struct ResponseReader {
    buffer: Vec<u8>,
    part: Part,
    /// The bytes before this offset are parsed.
    at: usize,
    /// The last head; valid in every part after it.
    head: Head,
    /// The range of the body received so far: chunks are moved together, over their framing.
    body: Range<usize>,
    /// Where the last head is.
    head_range: Range<usize>,
    /// The head of the response before, which most servers repeat for as long as a second.
    known: KnownHead,
    /// Longest body, in bytes.
    body_len_max: usize,
}

/// The part that is read next.
#[derive(Debug, Clone, Copy)]
enum Part {
    Head,
    Body,
    ChunkLine,
    Chunk {
        len: usize,
    },
    Trailers,
    Whole,
    /// Nothing: the response was rejected.
    Broken,
}

impl Default for ResponseReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ResponseReader {
    /// Maximum number of bytes that [`new`](Self::new)'s reader buffers for one connection. A
    /// response that needs more is rejected before: its head has at most 16 KiB with all interim
    /// responses, its body 64 KiB, or 128 KiB with the framing of its chunks, its trailers 16 KiB.
    pub const LEN_MAX: usize = 2 * HEAD_LEN_MAX + 2 * BODY_LEN_MAX;

    /// An empty reader, with room for a typical response.
    pub fn new() -> Self {
        Self::with_body_max(BODY_LEN_MAX)
    }

    /// An empty reader of responses whose bodies have at most `body_len_max` bytes, or twice as
    /// many with the framing of their chunks.
    pub fn with_body_max(body_len_max: usize) -> Self {
        let framing = Framing::UntilClose;
        let head = Head { status: 0, framing, keep_alive: false, retry_after: None, len: 0 };
        let buffer = Vec::with_capacity(BUFFER_LEN);
        let (body, head_range, known) = (0..0, 0..0, KnownHead::new(head));
        Self { buffer, part: Part::Head, at: 0, head, body, head_range, known, body_len_max }
    }

    /// Discards all bytes and keeps the memory for the next response.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.part = Part::Head;
        self.body = 0..0;
        self.at = 0;
    }

    /// The buffer for received bytes, as for `AsyncReadExt::read_buf`. It is full at the maximum
    /// number of bytes since [`clear`](Self::clear), and is not full while [`parse`](Self::parse)
    /// returns `None`.
    pub fn room(&mut self) -> Limit<&mut Vec<u8>> {
        let left = self.left();
        (&mut self.buffer).limit(left)
    }

    /// The buffer for received bytes, with spare capacity for more of them, which is part of
    /// [`room`](Self::room); `None` if that is full.
    pub(super) fn spare(&mut self) -> Option<&mut Vec<u8>> {
        let left = self.left();
        if self.buffer.len() == self.buffer.capacity() {
            // Twice as much, but never more than fits into the room.
            self.buffer.reserve_exact(self.buffer.len().max(BUFFER_LEN).min(left));
        }
        (left > 0).then_some(&mut self.buffer)
    }

    /// Number of bytes that may still be received.
    fn left(&self) -> usize {
        (2 * HEAD_LEN_MAX + 2 * self.body_len_max).saturating_sub(self.buffer.len())
    }

    /// Number of bytes received since [`clear`](Self::clear).
    pub fn received(&self) -> usize {
        self.buffer.len()
    }

    /// The response's body, without its framing. It is empty until [`parse`](Self::parse) has
    /// returned a response.
    pub fn body(&self) -> &[u8] {
        match self.part {
            Part::Whole => &self.buffer[self.body.clone()],
            _ => &[],
        }
    }

    /// The response's head, without interim responses before it. It is empty until
    /// [`parse`](Self::parse) has returned a response.
    pub fn head(&self) -> &[u8] {
        match self.part {
            Part::Whole => &self.buffer[self.head_range.clone()],
            _ => &[],
        }
    }

    /// Parses the response at the beginning of the bytes; `None` while it is incomplete. Interim
    /// responses (1xx) before it are skipped, and so are trailers. `at_end` says that the server
    /// has closed the connection after these bytes, which ends a body without a length: with it,
    /// `None` means that the response was cut off.
    ///
    /// # Errors
    /// When no further bytes can complete a response within the limits. The error persists until
    /// [`clear`](Self::clear).
    pub fn parse(&mut self, at_end: bool) -> Result<Option<Response>, ProtocolError> {
        loop {
            let next = match self.part {
                Part::Head => self.read_head(),
                Part::Body => self.read_body(at_end),
                Part::ChunkLine => self.read_chunk_line(),
                Part::Chunk { len } => self.read_chunk(len),
                Part::Trailers => self.read_trailers(),
                Part::Whole => return Ok(Some(self.response(at_end))),
                Part::Broken => Err(ProtocolError),
            };
            match next.inspect_err(|_| self.part = Part::Broken)? {
                Some(part) => self.part = part,
                None => return Ok(None),
            }
        }
    }

    fn response(&self, at_end: bool) -> Response {
        let Head { status, keep_alive, retry_after, .. } = self.head;
        let keep_alive = keep_alive && !at_end && self.at == self.buffer.len();
        Response { status, keep_alive, retry_after, len: self.at }
    }

    fn read_head(&mut self) -> Result<Option<Part>, ProtocolError> {
        let bytes = &self.buffer[self.at..];
        // Only servers may skip empty lines before a message (RFC 9112, section 2.2).
        if matches!(bytes, [b'\r' | b'\n', ..]) {
            return Err(ProtocolError);
        }
        // The head is parsed from its beginning each time: it is short, and usually arrives whole.
        let known = self.known.head_of(bytes);
        let head = if known.is_some() { known } else { Head::parse(bytes)? };
        let end = head.map_or(self.buffer.len() + 1, |head| self.at + head.len);
        if end > HEAD_LEN_MAX {
            return Err(ProtocolError);
        }
        let Some(head) = head else { return Ok(None) };
        if known.is_none() {
            self.known.keep(&self.buffer[self.at..end], head);
        }
        self.head_range = self.at..end;
        self.at = end;
        if head.status < 200 {
            return Ok(Some(Part::Head));
        }
        self.head = head;
        self.body = self.at..self.at;
        Ok(Some(if head.framing == Framing::Chunked { Part::ChunkLine } else { Part::Body }))
    }

    fn read_body(&mut self, at_end: bool) -> Result<Option<Part>, ProtocolError> {
        let available = self.buffer.len() - self.at;
        let (len, is_whole) = match self.head.framing {
            Framing::Length(len) => (len, available >= len),
            _ => (available, at_end),
        };
        if len > self.body_len_max {
            return Err(ProtocolError);
        }
        if !is_whole {
            return Ok(None);
        }
        self.body.end += len;
        self.at = self.body.end;
        Ok(Some(Part::Whole))
    }

    fn read_chunk_line(&mut self) -> Result<Option<Part>, ProtocolError> {
        let line_feed = self.buffer[self.at..].iter().position(|byte| *byte == b'\n');
        let line_end = line_feed.map(|len| self.at + len + 1);
        if line_end.unwrap_or(self.buffer.len() + 1) - self.at > CHUNK_LINE_LEN_MAX {
            return Err(ProtocolError);
        }
        let Some(end) = line_end else { return Ok(None) };
        let line = self.buffer[self.at..end].strip_suffix(b"\r\n").ok_or(ProtocolError)?;
        let len = chunk_len(line, self.body_len_max).ok_or(ProtocolError)?;
        self.at = end;
        let framed_len = self.at + len + 2 - self.body.start;
        if self.body.len() + len > self.body_len_max || framed_len > 2 * self.body_len_max {
            return Err(ProtocolError);
        }
        Ok(Some(if len == 0 { Part::Trailers } else { Part::Chunk { len } }))
    }

    fn read_chunk(&mut self, len: usize) -> Result<Option<Part>, ProtocolError> {
        let end = self.at + len;
        match self.buffer.get(end..) {
            Some([b'\r', b'\n', ..]) => {}
            None | Some([] | [b'\r']) => return Ok(None),
            Some(_) => return Err(ProtocolError),
        }
        self.buffer.copy_within(self.at..end, self.body.end);
        self.body.end += len;
        self.at = end + 2;
        Ok(Some(Part::ChunkLine))
    }

    fn read_trailers(&mut self) -> Result<Option<Part>, ProtocolError> {
        let mut fields = [EMPTY_HEADER; FIELDS_MAX];
        let parsed = httparse::parse_headers(&self.buffer[self.at..], &mut fields);
        let len = match parsed.map_err(|_| ProtocolError)? {
            Status::Complete((len, _)) => Some(len),
            Status::Partial => None,
        };
        if len.unwrap_or(self.buffer.len() - self.at + 1) > HEAD_LEN_MAX {
            return Err(ProtocolError);
        }
        let Some(len) = len else { return Ok(None) };
        self.at += len;
        Ok(Some(Part::Whole))
    }
}

/// The length of a chunk (RFC 9112, section 7.1), whose extensions are ignored; `None` if it is
/// invalid, or longer than any body.
fn chunk_len(line: &[u8], len_max: usize) -> Option<usize> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at(digits);
    let is_extension = matches!(rest.trim_ascii_start(), [] | [b';', ..]);
    if digits.is_empty() || !is_extension || rest.contains(&b'\r') {
        return None;
    }
    digits.iter().try_fold(0, |len, digit| {
        let digit = char::from(*digit).to_digit(16)? as usize;
        Some(len * 16 + digit).filter(|len| *len <= len_max)
    })
}

#[cfg(test)]
mod tests;
