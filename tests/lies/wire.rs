//! HTTP/1.1 over sockets and threads: requests are read, and answers are sent in one of several
//! legal framings.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::answer::{Answer, Sent};

/// How answers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// With a length, and the connection is kept open.
    Plain,
    /// In chunks, with trailers.
    Chunked,
    /// Seven bytes at a time.
    SevenBytes,
    /// The connection is closed after each answer, which says so.
    Close,
    /// The connection is closed after each answer, which does not say so.
    SilentClose,
    /// As a server that knows only HTTP/1.0.
    Http10,
    /// The body ends with the connection.
    UntilClose,
    /// An interim answer comes before each answer.
    EarlyHints,
}

impl Wire {
    fn keeps_open(self) -> bool {
        !matches!(self, Self::Close | Self::SilentClose | Self::Http10 | Self::UntilClose)
    }

    /// The bytes of an answer.
    fn bytes(self, answer: &Answer, content_type: &str) -> Vec<u8> {
        let (version, interim) = match self {
            Self::Http10 => ("HTTP/1.0", ""),
            Self::EarlyHints => {
                ("HTTP/1.1", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
            }
            _ => ("HTTP/1.1", ""),
        };
        let mut head = format!("{interim}{version} {} Answer\r\n", answer.status);
        head += &format!("Content-Type: {content_type}\r\n");
        if let Some(time) = answer.retry_after {
            head += &format!("Retry-After: {time}\r\n");
        }
        if matches!(self, Self::Close | Self::UntilClose) {
            head += "Connection: close\r\n";
        }
        let body = &answer.body;
        let text = match self {
            Self::Chunked => {
                let (a, b) = body.split_at(body.floor_char_boundary(body.len() / 2));
                let chunks = [a, b].map(|part| match part {
                    "" => String::new(),
                    part => format!("{:x};name=value\r\n{part}\r\n", part.len()),
                });
                let fields = "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
                format!("{head}{fields}{}0\r\nX-Sum: 1\r\n\r\n", chunks.concat())
            }
            Self::UntilClose => format!("{head}\r\n{body}"),
            _ => format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
        };
        text.into_bytes()
    }

    /// Sends an answer, and returns whether the connection goes on.
    pub(crate) fn send(self, stream: &mut TcpStream, answer: &Answer, content_type: &str) -> bool {
        std::thread::sleep(Duration::from_millis(answer.pause_ms));
        let bytes = self.bytes(answer, content_type);
        match answer.sent {
            Sent::Nothing => return false,
            Sent::Half => {
                let _ = stream.write_all(&bytes[..bytes.len() / 2]);
                return false;
            }
            Sent::Whole => {}
        }
        let size = if self == Self::SevenBytes { 7 } else { bytes.len().max(1) };
        bytes.chunks(size).all(|piece| stream.write_all(piece).is_ok()) && self.keeps_open()
    }
}

/// A request as it was received.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// Names in lower case, and values.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads the next request; `bytes` keeps what arrived of a later one. `None` at the end of the
    /// connection.
    pub(crate) fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Self> {
        let mut piece = [0; 4096];
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let request = Self::parse(&String::from_utf8_lossy(&bytes[..end]))?;
                let len =
                    request.field("content-length").map_or(Some(0), |len| len.parse().ok())?;
                let body = end + 4;
                if bytes.len() >= body + len {
                    let rest = bytes.split_off(body + len);
                    let body = std::mem::replace(bytes, rest).split_off(body);
                    return Some(Self { body, ..request });
                }
            }
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => return None,
                Ok(len) => bytes.extend_from_slice(&piece[..len]),
            }
        }
    }

    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let fields = lines.filter_map(field).collect();
        let (path, query) = (path.to_owned(), query.to_owned());
        Some(Self { method, path, query, fields, body: Vec::new() })
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}
