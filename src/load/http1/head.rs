//! The head of a response (RFC 9112, sections 4 to 6, and 9.3): what its fields say about the body,
//! the connection and the next retry. Nothing here allocates.

use std::mem::MaybeUninit;
use std::time::Duration;

use httparse::{Header, ParserConfig, Status};

use super::error::ProtocolError;

/// Maximum number of header fields of a head, and of a trailer section.
pub(super) const FIELDS_MAX: usize = 64;

/// The upper bound of `Retry-After`: a longer value is reduced to it.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// A parsed head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
    /// Whether the connection may be used again once the body was read.
    pub(super) keep_alive: bool,
    pub(super) retry_after: Option<Duration>,
    /// Bytes of the head, the empty line included.
    pub(super) len: usize,
}

/// Longest head that [`KnownHead`] keeps, in bytes: that of an answer of an API is shorter.
const KNOWN_LEN_MAX: usize = 256;

/// A head that was parsed before: one that has the same bytes is the same, and comparing them takes
/// a small part of the time that parsing takes.
#[derive(Debug)]
pub(super) struct KnownHead {
    /// Its length is 0 before there is one.
    head: Head,
    bytes: [u8; KNOWN_LEN_MAX],
}

impl KnownHead {
    /// No head yet, in place of which `none` stands, whose length is 0.
    pub(super) fn new(none: Head) -> Self {
        Self { head: none, bytes: [0; KNOWN_LEN_MAX] }
    }

    /// The head that `bytes` begin with, if it is this one. A head ends at its first empty line, so
    /// whatever follows cannot make it another one.
    pub(super) fn head_of(&self, bytes: &[u8]) -> Option<Head> {
        let is_known = self.head.len > 0 && bytes.starts_with(&self.bytes[..self.head.len]);
        is_known.then_some(self.head)
    }

    /// Keeps a head with its bytes, unless it is a long one.
    pub(super) fn keep(&mut self, bytes: &[u8], head: Head) {
        if let Some(kept) = self.bytes.get_mut(..bytes.len()) {
            kept.copy_from_slice(bytes);
            self.head = head;
        }
    }
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

impl Head {
    /// Reads the head that `bytes` begin with; `None` while its end is missing.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, ProtocolError> {
        let mut config = ParserConfig::default();
        // A sender must not generate folded lines, but a client still has to accept them (RFC 9112,
        // section 5.2).
        config.allow_obsolete_multiline_headers_in_responses(true);
        let mut head = httparse::Response::new(&mut []);
        // Uninitialized, because filling it would take as long as the parsing.
        let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
        let parsed = config.parse_response_with_uninit_headers(&mut head, bytes, &mut fields);
        let Status::Complete(len) = parsed.map_err(|_| ProtocolError)? else { return Ok(None) };
        let status = head.code.filter(|status| *status >= 100).ok_or(ProtocolError)?;
        if status == 101 {
            return Err(ProtocolError); // No other protocol was requested.
        }
        if status < 200 {
            // The fields of an interim response are irrelevant.
            let framing = Framing::Length(0);
            return Ok(Some(Self { status, framing, keep_alive: true, retry_after: None, len }));
        }
        let framing = framing(status, head.headers)?;
        let is_old = head.version != Some(1);
        let keep_alive = keeps_alive(is_old, head.headers) && is_safe(framing, is_old, &head);
        let retry_after = retry_after(head.headers);
        Ok(Some(Self { status, framing, keep_alive, retry_after, len }))
    }
}

/// RFC 9112, section 6.3: the first framing that applies is used.
fn framing(status: u16, fields: &[Header<'_>]) -> Result<Framing, ProtocolError> {
    if status == 204 || status == 304 {
        return Ok(Framing::Length(0));
    }
    if lines(fields, "transfer-encoding").next().is_some() {
        // Any coding other than a final `chunked` would have to be decoded first; none was
        // requested.
        let mut codings = elements(fields, "transfer-encoding");
        let only_chunked = codings.next().is_some_and(|it| it.eq_ignore_ascii_case(b"chunked"));
        let simple = only_chunked && codings.next().is_none();
        return if simple { Ok(Framing::Chunked) } else { Err(ProtocolError) };
    }
    // Some servers send the length twice, in one field line or in two. It is accepted if both
    // agree.
    let lists = lines(fields, "content-length");
    let mut lengths = lists.flat_map(|list| list.split(|b| *b == b',')).map(|it| decimal(trim(it)));
    let Some(first) = lengths.next() else { return Ok(Framing::UntilClose) };
    let len = first.ok_or(ProtocolError)?;
    if lengths.any(|other| other != Some(len)) {
        return Err(ProtocolError);
    }
    usize::try_from(len).map(Framing::Length).map_err(|_| ProtocolError)
}

/// RFC 9112, section 9.3: an HTTP/1.1 connection persists by default, an HTTP/1.0 connection only
/// with `keep-alive`; `close` takes precedence.
fn keeps_alive(is_old: bool, fields: &[Header<'_>]) -> bool {
    let has = |option| elements(fields, "connection").any(|it| it.eq_ignore_ascii_case(option));
    !has(b"close") && (!is_old || has(b"keep-alive"))
}

/// Whether all intermediaries agree on the end of the body (RFC 9112, sections 6.1 and 6.3): chunks
/// from HTTP/1.0, or together with a length, may have been framed by an intermediary.
fn is_safe(framing: Framing, is_old: bool, head: &httparse::Response<'_, '_>) -> bool {
    match framing {
        Framing::Length(_) => true,
        Framing::Chunked => !is_old && lines(head.headers, "content-length").next().is_none(),
        Framing::UntilClose => false,
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3), at most [`RETRY_AFTER_MAX`]. A date is
/// ignored, because it would be compared with another machine's clock.
fn retry_after(fields: &[Header<'_>]) -> Option<Duration> {
    let value = trim(lines(fields, "retry-after").next()?);
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let seconds = is_number.then(|| decimal(value).unwrap_or(u64::MAX))?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// The values of all field lines of this name.
fn lines<'a>(fields: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let named = fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
    named.map(|field| field.value)
}

/// The elements of a list field over all its lines, without empty ones (RFC 9110, section 5.6.1).
fn elements<'a>(fields: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let elements = lines(fields, name).flat_map(|list| list.split(|b| *b == b',')).map(trim);
    elements.filter(|element| !element.is_empty())
}

/// Removes the surrounding white space, including that of folded lines.
fn trim(value: &[u8]) -> &[u8] {
    value.trim_ascii()
}

/// Parses a number that has only digits, without a sign or a space.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = (!text.is_empty()).then_some(text)?.iter();
    digits.copied().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
