//! Plain requests: a `POST`, or a `GET` without a body, that arrives in one piece, alone, and with
//! nothing in its head that asks for more than an answer. Nearly all attempts are such requests,
//! and those for their results.

use std::mem::MaybeUninit;

use httparse::{Header, Status};

/// Longest plain request, in bytes.
pub(super) const LEN_MAX: usize = 4096;

/// Most header fields of a plain request.
pub(super) const HEADERS_MAX: usize = 24;

/// The method of a plain request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`, without a body.
    Get,
    /// `POST`.
    Post,
}

/// A plain request in the buffer.
#[derive(Debug)]
pub struct PlainRequest<'a> {
    /// The method.
    pub method: Method,
    /// The request target.
    pub path: &'a str,
    headers: &'a [Header<'a>],
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> PlainRequest<'a> {
    /// Reads a request; `None` if it is not plain. The limits on a head are lower than hyper's, to
    /// which what is longer is left.
    pub(super) fn read(
        bytes: &'a [u8],
        headers: &'a mut [MaybeUninit<Header<'a>>],
    ) -> Option<Self> {
        let mut request = httparse::Request::new(&mut []);
        let parsed = request.parse_with_uninit_headers(bytes, headers);
        let Ok(Status::Complete(head_len)) = parsed else { return None };
        let httparse::Request { method, path, version, headers } = request;
        let method = match (method, version) {
            (Some("GET"), Some(1)) => Method::Get,
            (Some("POST"), Some(1)) => Method::Post,
            _ => return None,
        };
        let (mut length, mut hosts) = (None, 0);
        for header in headers.iter() {
            match Meaning::of(header) {
                Meaning::Host => hosts += 1,
                Meaning::Length(given) if length.is_none() => length = Some(given),
                Meaning::Other => {}
                Meaning::Length(_) | Meaning::NotPlain => return None,
            }
        }
        let body = &bytes[head_len..];
        let is_whole = match method {
            Method::Get => length.is_none() && body.is_empty(),
            Method::Post => length == Some(body.len()),
        };
        (is_whole && hosts == 1).then_some(Self { method, path: path?, headers, body })
    }

    /// The values of all fields with this name.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers.iter();
        headers.filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|it| it.value)
    }
}

/// What a field means to whoever reads the connection.
enum Meaning {
    Host,
    Length(usize),
    /// It may make the request end elsewhere, or ask for something before or after the answer.
    NotPlain,
    Other,
}

impl Meaning {
    fn of(header: &Header<'_>) -> Self {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            4 if is("host") => Self::Host,
            6 if is("expect") => Self::NotPlain,
            7 if is("upgrade") => Self::NotPlain,
            10 if is("connection") => match header.value.eq_ignore_ascii_case(b"keep-alive") {
                true => Self::Other,
                false => Self::NotPlain,
            },
            14 if is("content-length") => length(header.value).map_or(Self::NotPlain, Self::Length),
            17 if is("transfer-encoding") => Self::NotPlain,
            _ => Self::Other,
        }
    }
}

/// A length of digits only. A longer one is too long for a plain request in any case.
fn length(value: &[u8]) -> Option<usize> {
    let is_number = (1..=4).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    is_number.then(|| value.iter().fold(0, |length, digit| 10 * length + usize::from(digit - b'0')))
}
