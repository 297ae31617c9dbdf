//! How the load generator reads responses: legal ones however they are divided, and all others.

use std::time::Duration;

use bytes::BufMut;
use proptest::prelude::*;
use seckill::load::{ProtocolError, Response, ResponseReader};

pub(crate) mod legal;
mod limits;
mod malformed;

use legal::legal;

/// The result of reading bytes, possibly followed by the end of the connection.
type Outcome = Result<Option<(Response, Vec<u8>)>, ProtocolError>;

/// Feeds pieces until there is a response or an error; `at_end` if the connection ends after them.
fn feed<'a>(
    reader: &mut ResponseReader,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    at_end: bool,
) -> Outcome {
    for piece in pieces {
        reader.room().put_slice(piece);
        assert!(reader.received() <= ResponseReader::LEN_MAX);
        if let Some(response) = reader.parse(false)? {
            return Ok(Some((response, reader.body().to_vec())));
        }
        assert!(reader.room().has_remaining_mut(), "the buffer is full without a response");
    }
    let response = if at_end { reader.parse(true)? } else { None };
    Ok(response.map(|response| (response, reader.body().to_vec())))
}

/// Reads all bytes at once.
fn read(bytes: &[u8], at_end: bool) -> Outcome {
    feed(&mut ResponseReader::new(), [bytes], at_end)
}

/// Cuts the bytes into pieces of these lengths, repeating the lengths.
fn pieces<'a>(mut bytes: &'a [u8], lens: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for len in lens.iter().cycle() {
        let (piece, rest) = bytes.split_at((*len).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
        if bytes.is_empty() {
            break;
        }
    }
    pieces
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn legal_response_is_complete_exactly_at_its_last_byte(legal in legal()) {
        for at in 0..legal.bytes.len() {
            prop_assert_eq!(read(&legal.bytes[..at], false), Ok(None), "cut at {}", at);
        }
        let whole = read(&legal.bytes, legal.until_close);
        prop_assert_eq!(whole, Ok(Some(legal.read())));
        if legal.until_close {
            prop_assert_eq!(read(&legal.bytes, false), Ok(None));
        }
    }

    #[test]
    fn legal_response_is_parsed_independently_of_chunking(
        first in legal(),
        second in legal(),
        lens in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let mut reader = ResponseReader::new();
        for legal in [&first, &second] {
            for lens in [&lens[..], &[1]] {
                reader.clear();
                let read = feed(&mut reader, pieces(&legal.bytes, lens), legal.until_close);
                prop_assert_eq!(read, Ok(Some(legal.read())));
            }
        }
    }

    #[test]
    fn bytes_after_a_response_are_not_part_of_it(
        legal in legal(),
        following in prop::collection::vec(any::<u8>(), 1..50),
    ) {
        prop_assume!(!legal.until_close);
        let bytes = [&legal.bytes[..], &following].concat();
        let (response, body) = legal.read();
        let followed = Response { keep_alive: false, ..response };
        prop_assert_eq!(read(&bytes, false), Ok(Some((followed, body))));
    }

    #[test]
    fn truncated_response_is_never_complete(legal in legal(), at: prop::sample::Index) {
        prop_assume!(!legal.until_close);
        prop_assert_eq!(read(&legal.bytes[..at.index(legal.bytes.len())], true), Ok(None));
    }

    /// If the server's end arrives with the last byte, the response counts but the connection is
    /// unusable.
    #[test]
    fn end_of_connection_after_a_response_is_no_error(legal in legal()) {
        let mut reader = ResponseReader::new();
        reader.room().put_slice(&legal.bytes);
        let response = Response { keep_alive: false, ..legal.read().0 };
        prop_assert_eq!(reader.parse(true), Ok(Some(response)));
        prop_assert_eq!(reader.body(), &legal.body[..]);
    }
}

#[test]
fn retry_after_is_read_and_capped_at_an_hour() {
    let retry_after = |fields: &str| {
        let head = format!("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n{fields}\r\n");
        read(head.as_bytes(), false).unwrap().unwrap().0.retry_after
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(retry_after(""), None);
    assert_eq!(retry_after("retry-after: 0\r\n"), seconds(0));
    assert_eq!(retry_after("Retry-After:  7 \r\n"), seconds(7));
    assert_eq!(retry_after("Retry-After: 7\r\nRetry-After: 9\r\n"), seconds(7));
    assert_eq!(retry_after("RETRY-AFTER: 3601\r\n"), seconds(3600));
    assert_eq!(retry_after("Retry-After: 99999999999999999999999\r\n"), seconds(3600));
    for nonsense in ["", "-1", "+1", "1.5", "1 2", "Wed, 21 Oct 2015 07:28:00 GMT"] {
        assert_eq!(retry_after(&format!("Retry-After: {nonsense}\r\n")), None, "{nonsense}");
    }
}
