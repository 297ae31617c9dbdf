//! Bytes that are no legal response: they are rejected, or read alike however they are divided.

use proptest::prelude::*;
use seckill::load::{ProtocolError, Response, ResponseReader};

use super::legal::legal;
use super::{config, feed, pieces, read};

/// A change to the bytes at a position modulo their length.
#[derive(Debug, Clone)]
enum Change {
    Flip { bit: u8 },
    Remove { len: usize },
    Insert { bytes: Vec<u8> },
    Repeat { len: usize },
    Cut,
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let telling = prop::sample::select(vec![
        "\r\n",
        "\n",
        "\r",
        "\0",
        ":",
        ",",
        ";",
        " ",
        "0",
        "f",
        "-",
        "0\r\n\r\n",
        "\r\n\r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
    ]);
    let change = prop_oneof![
        (0..8_u8).prop_map(|bit| Change::Flip { bit }),
        (1..20_usize).prop_map(|len| Change::Remove { len }),
        telling.prop_map(|text| Change::Insert { bytes: text.into() }),
        prop::collection::vec(any::<u8>(), 1..8).prop_map(|bytes| Change::Insert { bytes }),
        (1..40_usize).prop_map(|len| Change::Repeat { len }),
        Just(Change::Cut),
    ];
    (any::<prop::sample::Index>(), change)
}

fn changed(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, Change)]) -> Vec<u8> {
    for (at, change) in changes.iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        let until = |len: usize| (at + len).min(bytes.len());
        match change {
            Change::Flip { bit } => bytes[at] ^= 1 << bit,
            Change::Remove { len } => drop(bytes.drain(at..until(*len))),
            Change::Insert { bytes: inserted } => {
                bytes.splice(at..at, inserted.iter().copied());
            }
            Change::Repeat { len } => {
                let repeated = bytes[at..until(*len)].to_vec();
                bytes.splice(at..at, repeated);
            }
            Change::Cut => bytes.truncate(at),
        }
    }
    bytes
}

/// Reads bytes at once and in pieces; both must give the same well-formed result.
fn check(bytes: &[u8], lens: &[usize], at_end: bool) -> Result<(), TestCaseError> {
    let whole = read(bytes, at_end);
    for lens in [lens, &[1]] {
        let mut reader = ResponseReader::new();
        let in_pieces = feed(&mut reader, pieces(bytes, lens), at_end);
        if in_pieces.is_err() {
            prop_assert_eq!(reader.parse(at_end), Err(ProtocolError), "forgiven");
            prop_assert_eq!(reader.body(), b"");
        }
        // Fed at once, the reader also sees the following bytes, which it may have to reject.
        let alike = |(response, body): (Response, Vec<u8>)| {
            (Response { keep_alive: false, ..response }, body)
        };
        prop_assert_eq!(in_pieces.map(|it| it.map(alike)), whole.clone().map(|it| it.map(alike)));
    }
    if let Ok(Some((response, body))) = whole {
        prop_assert!((200..1000).contains(&response.status), "{}", response.status);
        prop_assert!(response.len <= bytes.len() && body.len() <= response.len);
        prop_assert!(!response.keep_alive || response.len == bytes.len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..config() })]

    #[test]
    fn mutated_response_is_parsed_independently_of_chunking(
        legal in legal(),
        changes in prop::collection::vec(change(), 1..4),
        lens in prop::collection::vec(1..40_usize, 1..10),
        at_end: bool,
    ) {
        check(&changed(legal.bytes, &changes), &lens, at_end)?;
    }

    #[test]
    fn garbage_is_rejected(
        beginning in prop::sample::select(vec!["", "H", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\n"]),
        garbage in prop::collection::vec(any::<u8>(), 1..300),
        at_end: bool,
    ) {
        check(&[beginning.as_bytes(), &garbage].concat(), &[7, 1, 30], at_end)?;
    }
}

#[test]
fn illegal_responses_are_rejected_in_any_pieces() {
    let heads = [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/0.9 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nName : value\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: first\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    ];
    let lengths = ["", "-1", "+1", "1 1", "0x1", "1.0", "1,2", "1,", ",1", "1;1", "65537", "1,x"];
    let huge = ["18446744073709551615", "18446744073709551616", "99999999999999999999999999999"];
    let lengths = lengths.iter().chain(&huge).map(|length| format!("Content-Length: {length}"));
    let codings = ["", "gzip", "gzip, chunked", "chunked, chunked", "chunked;q=1", "identity"];
    let codings = codings.iter().map(|coding| format!("Transfer-Encoding: {coding}"));
    let conflict = "Content-Length: 1\r\nX: y\r\nContent-Length: 2".to_owned();
    let fields = lengths.chain(codings).chain([conflict]);
    let framed = fields.map(|field| format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n"));
    let chunks = [
        "\r\n",
        ";a\r\n",
        "g\r\n",
        "0x1\r\n",
        "-1\r\n",
        "+1\r\n",
        " 1\r\n",
        "1 1\r\n",
        "1\n",
        "1\r\r\n",
        "1;a\rb\r\n",
        "1\r\nxx",
        "1\r\nx\n",
        "1\r\nx\rx",
        "10001\r\n",
        "fffffffffffffffff\r\n",
        "ffffffffffffffff\r\n",
        "1\r\nx\r\n\r\n",
        "0\r\n bad: x\r\n",
        "0\r\nno colon\r\n",
        "10000\r\n",
    ];
    let chunks = chunks.iter().map(|chunks| {
        let body = if *chunks == "10000\r\n" { "x".repeat(65536) + "\r\n1\r\n" } else { "".into() };
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{body}")
    });
    for text in heads.map(str::to_owned).into_iter().chain(framed).chain(chunks) {
        for lens in [&[usize::MAX][..], &[1], &[3, 1]] {
            let read = feed(&mut ResponseReader::new(), pieces(text.as_bytes(), lens), false);
            assert_eq!(read, Err(ProtocolError), "{}", text[..text.len().min(99)].escape_debug());
        }
    }
}

#[test]
fn conflicting_framing_uses_rfc_precedence_and_closes_the_connection() {
    let both = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n\
                 1\r\nx\r\n0\r\n\r\n";
    let (response, body) = read(both, false).ok().flatten().expect("legal");
    assert_eq!((&*body, response.keep_alive), (&b"x"[..], false));
}

/// The surplus chunk looks like the end of a response.
#[test]
fn rejected_response_stays_rejected() {
    let most = "x".repeat(0xffff);
    let text = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         ffff\r\n{most}\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n"
    );
    let mut reader = ResponseReader::new();
    assert_eq!(feed(&mut reader, [text.as_bytes()], false), Err(ProtocolError));
    assert_eq!(reader.parse(false), Err(ProtocolError));
    assert_eq!(reader.parse(true), Err(ProtocolError));
    reader.clear();
    let bytes = b"HTTP/1.1 204 No Content\r\n\r\n";
    let read = feed(&mut reader, [&bytes[..]], false).map(|read| read.is_some());
    assert_eq!(read, Ok(true));
}
