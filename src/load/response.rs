//! Reading an HTTP/1.1 response (RFC 9112) from whatever bytes are there: [`parse`].

use std::borrow::Cow;

use httparse::{EMPTY_HEADER, Status, parse_chunk_size};

/// Longest head and longest body of a response, in bytes: the API's have under 500 each.
const HEAD_LEN_MAX: usize = 16 << 10;
const BODY_LEN_MAX: usize = 64 << 10;

/// Most header fields of a response.
const HEADERS_MAX: usize = 64;

/// What the bytes amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// The beginning of a response.
    Partial,
    /// A whole one.
    Whole {
        /// The status.
        status: u16,
        /// The body, without its framing.
        body: Cow<'a, [u8]>,
        /// Whether another request may follow on the connection.
        keep_alive: bool,
        /// Bytes that belong to it; what follows does not.
        len: usize,
    },
}

/// The bytes are no HTTP/1.1 response, or one beyond the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an HTTP/1.1 response")]
pub struct ProtocolError;

/// Where a body ends.
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

/// Reads one response to a request other than HEAD from the beginning of `bytes`; interim (1xx)
/// responses before it are skipped. `at_end` says that the connection was closed after them.
///
/// # Errors
/// When no further bytes can make it a response.
pub fn parse(bytes: &[u8], at_end: bool) -> Result<Parsed<'_>, ProtocolError> {
    let mut start = 0;
    loop {
        let mut headers = [EMPTY_HEADER; HEADERS_MAX];
        let mut head = httparse::Response::new(&mut headers);
        let head_len = match head.parse(&bytes[start..]).map_err(|_| ProtocolError)? {
            Status::Complete(len) => len,
            Status::Partial if bytes.len() - start > HEAD_LEN_MAX => return Err(ProtocolError),
            Status::Partial => return Ok(Parsed::Partial),
        };
        let status = head.code.ok_or(ProtocolError)?;
        start += head_len;
        if status == 101 || start > HEAD_LEN_MAX {
            return Err(ProtocolError);
        }
        if !(100..200).contains(&status) {
            let keep_alive = keeps_alive(head.version, head.headers);
            let framing = framing(status, head.headers)?;
            return body(bytes, start, at_end, framing, status, keep_alive);
        }
    }
}

fn body(
    bytes: &[u8],
    start: usize,
    at_end: bool,
    framing: Framing,
    status: u16,
    keep_alive: bool,
) -> Result<Parsed<'_>, ProtocolError> {
    let rest = &bytes[start..];
    let whole =
        |body, len, keep_alive| Ok(Parsed::Whole { status, body, keep_alive, len: start + len });
    match framing {
        Framing::Length(len) if len > BODY_LEN_MAX => Err(ProtocolError),
        Framing::Length(len) => match rest.get(..len) {
            Some(body) => whole(Cow::Borrowed(body), len, keep_alive),
            None => Ok(Parsed::Partial),
        },
        Framing::Chunked => match chunks(rest)? {
            Some((body, len)) => whole(Cow::Owned(body), len, keep_alive),
            None => Ok(Parsed::Partial),
        },
        Framing::UntilClose if rest.len() > BODY_LEN_MAX => Err(ProtocolError),
        Framing::UntilClose if at_end => whole(Cow::Borrowed(rest), rest.len(), false),
        Framing::UntilClose => Ok(Parsed::Partial),
    }
}

/// RFC 9112, section 6.3: of several framings the first that applies.
fn framing(status: u16, headers: &[httparse::Header<'_>]) -> Result<Framing, ProtocolError> {
    if status == 204 || status == 304 {
        return Ok(Framing::Length(0));
    }
    let mut codings = values(headers, "transfer-encoding").peekable();
    if codings.peek().is_some() {
        // Any other coding than a last `chunked` would have to be undone first: none was asked for.
        let only_chunked = codings.next().is_some_and(|coding| coding == "chunked");
        let simple = only_chunked && codings.next().is_none();
        return if simple { Ok(Framing::Chunked) } else { Err(ProtocolError) };
    }
    let mut lengths = values(headers, "content-length");
    let Some(first) = lengths.next() else { return Ok(Framing::UntilClose) };
    if lengths.any(|other| other != first) || !first.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ProtocolError);
    }
    first.parse().map(Framing::Length).map_err(|_| ProtocolError)
}

/// HTTP/1.1 keeps the connection unless told otherwise, HTTP/1.0 the other way round.
fn keeps_alive(version: Option<u8>, headers: &[httparse::Header<'_>]) -> bool {
    let mut options = values(headers, "connection");
    match version {
        Some(1) => !options.any(|option| option == "close"),
        _ => options.any(|option| option == "keep-alive"),
    }
}

/// The elements of a list field, in lower case, over all its lines.
fn values<'a>(
    headers: &'a [httparse::Header<'a>],
    name: &'a str,
) -> impl Iterator<Item = String> + 'a {
    let named = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
    let lists = named.map(|header| std::str::from_utf8(header.value).unwrap_or("?"));
    lists.flat_map(|list| list.split(',')).map(|value| value.trim().to_ascii_lowercase())
}

/// The body in `bytes` without its chunks' framing, and the framed length; `None` while parts are
/// missing. Trailers are skipped.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, ProtocolError> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        if bytes.len() > 2 * BODY_LEN_MAX {
            return Err(ProtocolError);
        }
        let size = parse_chunk_size(&bytes[at..]).map_err(|_| ProtocolError)?;
        let Status::Complete((line_len, size)) = size else { return Ok(None) };
        at += line_len;
        if size == 0 {
            return trailers(&bytes[at..]).map(|len| len.map(|len| (body, at + len)));
        }
        let size = usize::try_from(size).map_err(|_| ProtocolError)?;
        if size > BODY_LEN_MAX || body.len() + size > BODY_LEN_MAX {
            return Err(ProtocolError);
        }
        let Some(chunk) = bytes.get(at..at + size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        at += size;
        match bytes.get(at..at + 2) {
            Some(b"\r\n") => at += 2,
            Some(_) => return Err(ProtocolError),
            None if bytes.get(at).is_some_and(|b| *b != b'\r') => return Err(ProtocolError),
            None => return Ok(None),
        }
    }
}

/// The length of the trailer section and the empty line that ends it.
fn trailers(bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    match httparse::parse_headers(bytes, &mut headers) {
        Ok(Status::Complete((len, _))) => Ok(Some(len)),
        Ok(Status::Partial) if bytes.len() > HEAD_LEN_MAX => Err(ProtocolError),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(ProtocolError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever the bytes are split: no answer before the end, and the same one at the end.
    fn parse_in_pieces(bytes: &[u8]) -> (u16, Vec<u8>, bool) {
        for at in 0..bytes.len() {
            assert_eq!(parse(&bytes[..at], false), Ok(Parsed::Partial), "cut at {at}");
        }
        match parse(bytes, false) {
            Ok(Parsed::Whole { status, body, keep_alive, len }) => {
                assert_eq!(len, bytes.len());
                (status, body.into_owned(), keep_alive)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_framing_is_read_wherever_it_is_split() {
        let cases: &[(&[u8], u16, &[u8], bool)] = &[
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", true),
            (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", true),
            (b"HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nhi", 200, b"hi", true),
            (b"HTTP/1.1 202 A\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", 202, b"", false),
            (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, b"x", false),
            (
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: a\r\n\r\n\
                  HTTP/1.1 410 Gone\r\nContent-Length: 1\r\n\r\nx",
                410,
                b"x",
                true,
            ),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n\
                  2;ext=1\r\nhi\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
                200,
                b"hi0123456789",
                true,
            ),
        ];
        for (bytes, status, body, keep_alive) in cases {
            assert_eq!(parse_in_pieces(bytes), (*status, body.to_vec(), *keep_alive));
        }
    }

    #[test]
    fn without_a_length_the_body_ends_with_the_connection() {
        let bytes = b"HTTP/1.1 200 OK\r\n\r\nhi";
        assert_eq!(parse(bytes, false), Ok(Parsed::Partial));
        let body = Cow::Borrowed(&b"hi"[..]);
        let whole = Parsed::Whole { status: 200, body, keep_alive: false, len: bytes.len() };
        assert_eq!(parse(bytes, true), Ok(whole));
    }

    #[test]
    fn what_follows_is_not_part_of_it() {
        let parsed = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1", false);
        assert!(matches!(parsed, Ok(Parsed::Whole { len: 38, .. })), "{parsed:?}");
    }

    #[test]
    fn nonsense_is_refused() {
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; 20_000]].concat();
        let cases: &[&[u8]] = &[
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\0\0\0",
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n",
            &endless,
        ];
        for bytes in cases {
            assert_eq!(parse(bytes, false), Err(ProtocolError), "{}", bytes.escape_ascii());
        }
    }
}
