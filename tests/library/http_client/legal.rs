//! Legal responses, with what is to be read of them: written by other rules than the reader's.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use seckill::load::Response;

/// A response's bytes, and what they mean.
#[derive(Debug, Clone)]
pub(crate) struct Legal {
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) keep_alive: bool,
    pub(crate) retry_after: Option<Duration>,
    /// Whether the end of the connection ends it.
    pub(crate) until_close: bool,
}

impl Legal {
    /// What is to be read of it when nothing follows.
    pub(crate) fn read(&self) -> (Response, Vec<u8>) {
        let Self { status, keep_alive, retry_after, .. } = *self;
        let len = self.bytes.len();
        (Response { status, keep_alive, retry_after, len }, self.body.clone())
    }
}

/// How the body is framed.
#[derive(Debug, Clone)]
enum Framing {
    Length,
    /// Lengths of the chunks (the last one takes the rest), the lines around them, the trailers.
    Chunked {
        lens: Vec<usize>,
        zeros: usize,
        extension: &'static str,
        trailers: Vec<u8>,
    },
    UntilClose,
}

/// The options of `Connection`, and what they ask for.
const CONNECTIONS: &[(&str, Option<bool>)] = &[
    ("", None),
    ("x-hop", None),
    ("close", Some(false)),
    ("CLOSE, x-hop", Some(false)),
    ("keep-alive, ,close", Some(false)),
    ("Keep-Alive", Some(true)),
    (", x-hop,\tkeep-alive ,", Some(true)),
];

const BYSTANDERS: &[(&str, &str)] = &[
    ("server", "nginx"),
    ("x-empty", ""),
    ("x-close", "close"),
    ("content-length-x", "9"),
    ("set-cookie", "a=\"b, close\"; Path=/"),
    ("x-bytes", "caf\u{e9}"),
    ("x-folded", "one\r\n two"),
];

/// Any legal response of a moderate length.
pub(crate) fn legal() -> impl Strategy<Value = Legal> {
    let status = select(vec![200_u16, 202, 204, 205, 299, 304, 403, 410, 429, 500, 503, 599]);
    let body = prop_oneof![
        any::<String>().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..200),
    ];
    let retry_after = prop::option::of(0..5000_u64);
    let parts = (interims(), 0..=1_u8, status, framing(), body, retry_after);
    let looks = (select(CONNECTIONS), select(vec![" OK", " ", "", " caf\u{e9}"]), bystanders());
    (parts, looks).prop_flat_map(|((before, minor, status, framing, body, wait), looks)| {
        let ((connection, asked), reason, mut fields) = looks;
        // These have no body, whatever the fields say.
        let is_bare = status == 204 || status == 304;
        let until_close = matches!(framing, Framing::UntilClose) && !is_bare;
        fields.extend(match &framing {
            Framing::Length => Some(("content-length".to_owned(), length_value(body.len(), wait))),
            Framing::Chunked { .. } => Some(("transfer-encoding".to_owned(), "chunked".to_owned())),
            Framing::UntilClose => None,
        });
        fields.extend(wait.map(|wait| ("retry-after".to_owned(), wait.to_string())));
        if !connection.is_empty() {
            fields.push(("connection".to_owned(), connection.to_owned()));
        }
        let is_chunked = matches!(framing, Framing::Chunked { .. }) && !is_bare;
        let asked = asked.unwrap_or(minor == 1);
        let legal = Legal {
            bytes: before,
            status,
            body: if is_bare { Vec::new() } else { body },
            keep_alive: asked && !until_close && (minor == 1 || !is_chunked),
            retry_after: wait.map(|wait| Duration::from_secs(wait.min(3600))),
            until_close,
        };
        let status_line = format!("HTTP/1.{minor} {status}{reason}\r\n");
        let lines = Just(fields).prop_shuffle().prop_flat_map(|fields| {
            fields.into_iter().map(|(name, value)| line(name, value)).collect::<Vec<_>>()
        });
        (Just(legal), lines).prop_map(move |(mut legal, lines)| {
            legal.bytes.extend(status_line.as_bytes());
            legal.bytes.extend(lines.concat());
            legal.bytes.extend(b"\r\n");
            if !is_bare {
                write_body(&mut legal.bytes, &legal.body, &framing);
            }
            legal
        })
    })
}

/// The length, written once or twice.
fn length_value(len: usize, wait: Option<u64>) -> String {
    if wait.is_some_and(|wait| wait % 3 == 0) { format!("{len}, 0{len}") } else { len.to_string() }
}

fn framing() -> impl Strategy<Value = Framing> {
    let extensions = vec!["", ";a", " ; a=b", ";a=\"b;c\"", "\t;x = y; z"];
    let trailers = prop_oneof![
        2 => Just(Vec::new()),
        1 => Just(b"Digest: x\r\n".to_vec()),
        1 => Just(b"a:b\r\nc-d:  e \r\nEmpty:\r\n".to_vec()),
    ];
    let lens = prop::collection::vec(1..60_usize, 0..6);
    let chunked = (lens, 0..4_usize, select(extensions), trailers).prop_map(
        |(lens, zeros, extension, trailers)| Framing::Chunked { lens, zeros, extension, trailers },
    );
    prop_oneof![2 => Just(Framing::Length), 3 => chunked, 1 => Just(Framing::UntilClose)]
}

fn interims() -> impl Strategy<Value = Vec<u8>> {
    let interim = select(vec![
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 102\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 199 \r\nTransfer-Encoding: gzip\r\nRetry-After: 9\r\n\r\n",
    ]);
    prop::collection::vec(interim, 0..=3).prop_map(|interims| interims.concat().into_bytes())
}

fn bystanders() -> impl Strategy<Value = Vec<(String, String)>> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    prop::collection::vec(select(BYSTANDERS).prop_map(owned), 0..5)
}

/// A field's line: its name in any case, and white space where it may be.
fn line(name: String, value: String) -> impl Strategy<Value = Vec<u8>> {
    let space = || select(vec!["", " ", "\t", "  \t"]);
    (any::<u64>(), space(), space()).prop_map(move |(upper, before, after)| {
        let cased = name.bytes().enumerate().map(|(at, byte)| match upper >> (at % 64) & 1 {
            1 => byte.to_ascii_uppercase(),
            _ => byte,
        });
        let mut line: Vec<u8> = cased.collect();
        for part in [":", before, &value, after, "\r\n"] {
            line.extend(part.as_bytes());
        }
        line
    })
}

fn write_body(bytes: &mut Vec<u8>, body: &[u8], framing: &Framing) {
    let Framing::Chunked { lens, zeros, extension, trailers } = framing else {
        bytes.extend(body);
        return;
    };
    let line = |len: usize| format!("{}{len:x}{extension}\r\n", "0".repeat(*zeros));
    let mut rest = body;
    for len in lens.iter().copied().chain([usize::MAX]) {
        let (chunk, after) = rest.split_at(len.min(rest.len()));
        rest = after;
        if !chunk.is_empty() {
            bytes.extend(line(chunk.len()).to_uppercase().as_bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
    }
    bytes.extend(line(0).as_bytes());
    bytes.extend(trailers);
    bytes.extend(b"\r\n");
}
