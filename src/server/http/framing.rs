//! Follows where each request begins and ends in what a client sends.
//!
//! hyper parses the same bytes, but does not say whether a part of the next request has arrived,
//! how long the next chunk of a body will be, or whether a head had a `Content-Length` besides its
//! `Transfer-Encoding`. For every request that hyper accepts, both agree; after one that it rejects
//! the connection ends.

use std::io::BufRead;

use super::super::body::BODY_LEN_MAX;

/// As much of a line as is kept: enough for a `Content-Length` and its value.
const LINE_LEN_MAX: usize = 64;

/// The position in the bytes that a client sends.
#[derive(Debug, Default)]
pub(super) struct Framing {
    state: State,
    /// The beginning of a line whose end has not arrived.
    line: Vec<u8>,
    length: Option<u64>,
    is_coded: bool,
    heads: u64,
    ambiguous: Option<u64>,
    /// The length of the present chunked body, as far as announced.
    announced: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between two requests, where empty lines are ignored.
    #[default]
    Between,
    Head,
    /// In a body, or in a chunk with the end of its line, of which so many bytes are to come.
    Body(u64),
    Chunk(u64),
    ChunkSize,
    Trailers,
    /// This is no HTTP, so hyper will end the connection.
    Lost,
}

impl Framing {
    /// The number of complete heads.
    pub(super) fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether the last byte that arrived ended a request, or was before the first.
    pub(super) fn is_between_requests(&self) -> bool {
        self.state == State::Between
    }

    /// The number of the first head, counted from 1, whose lengths contradict each other: after it,
    /// it is unknown where a request ends.
    pub(super) fn ambiguous(&self) -> Option<u64> {
        self.ambiguous
    }

    /// Whether the chunks of the present body are too long together, as far as they are announced.
    pub(super) fn is_too_long(&self) -> bool {
        self.announced > BODY_LEN_MAX as u64
    }

    /// A whole request has arrived between two others, and was read without this.
    pub(super) fn whole_request(&mut self) {
        self.heads += 1;
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match self.state {
                State::Between if matches!(bytes[0], b'\r' | b'\n') => bytes = &bytes[1..],
                State::Between => {
                    (self.length, self.is_coded, self.announced) = (None, false, 0);
                    self.state = State::Head;
                }
                State::Head | State::ChunkSize | State::Trailers => bytes = self.feed_line(bytes),
                State::Body(left) => {
                    let taken = left.min(bytes.len() as u64);
                    bytes = &bytes[taken as usize..];
                    self.state =
                        if taken == left { State::Between } else { State::Body(left - taken) };
                }
                State::Chunk(left) => {
                    let taken = left.min(bytes.len() as u64);
                    bytes = &bytes[taken as usize..];
                    self.state =
                        if taken == left { State::ChunkSize } else { State::Chunk(left - taken) };
                }
                State::Lost => return,
            }
        }
    }

    /// Takes the bytes of one line, and returns those after it.
    fn feed_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        // Reading from memory cannot fail.
        let taken = rest.skip_until(b'\n').unwrap_or(bytes.len());
        let part = &bytes[..taken];
        if self.line.is_empty() && part.ends_with(b"\n") {
            self.end_line(part);
            return rest;
        }
        let kept = part.len().min(LINE_LEN_MAX - self.line.len());
        self.line.extend_from_slice(&part[..kept]);
        if part.ends_with(b"\n") {
            let line = std::mem::take(&mut self.line);
            self.end_line(&line);
        }
        rest
    }

    fn end_line(&mut self, line: &[u8]) {
        let line = line.trim_ascii_end();
        match self.state {
            State::ChunkSize => self.end_chunk_size(line),
            State::Trailers if line.is_empty() => self.state = State::Between,
            State::Head if line.is_empty() => self.end_head(),
            // Most fields of a head begin with another letter.
            State::Head if matches!(line[0] | 0x20, b'c' | b't') => self.end_field(line),
            _ => {}
        }
    }

    fn end_field(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_coded = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
            let is_whole = line.len() < LINE_LEN_MAX;
            match length.filter(|_| is_whole) {
                Some(length) => self.length = Some(length),
                None => self.ambiguous = self.ambiguous.or(Some(self.heads + 1)),
            }
        }
    }

    fn end_head(&mut self) {
        self.heads += 1;
        if self.is_coded && self.length.is_some() {
            self.ambiguous = self.ambiguous.or(Some(self.heads));
        }
        self.state = match self.length {
            _ if self.is_coded => State::ChunkSize,
            Some(0) | None => State::Between,
            Some(length) => State::Body(length),
        };
    }

    fn end_chunk_size(&mut self, line: &[u8]) {
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        // A size has at most 16 digits; hyper ignores zeros in front of it, and no client sends
        // many of them.
        let size = match digits {
            0 => {
                self.state = State::Lost;
                return;
            }
            1..=16 => str::from_utf8(&line[..digits]).ok(),
            _ => None,
        };
        let size = size.and_then(|size| u64::from_str_radix(size, 16).ok()).unwrap_or(u64::MAX);
        self.announced = self.announced.saturating_add(size);
        self.state = match size {
            0 => State::Trailers,
            size => State::Chunk(size.saturating_add(2)),
        };
    }
}
