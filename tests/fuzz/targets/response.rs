//! The response parser of the load's HTTP client.

use bytes::BufMut;
use seckill::load::{ProtocolError, Response, ResponseReader};

use super::pieces;

/// What a reader made of the bytes of a connection.
#[derive(Debug, PartialEq)]
struct Read {
    response: Result<Option<Response>, ProtocolError>,
    head: Vec<u8>,
    body: Vec<u8>,
}

/// Reads one response from these pieces, after which the server closes the connection.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Read {
    let mut reader = ResponseReader::new();
    let mut response = Ok(None);
    for piece in pieces {
        let mut rest = piece;
        while !rest.is_empty() && response == Ok(None) {
            let mut room = reader.room();
            let taken = rest.len().min(room.remaining_mut());
            assert!(taken > 0, "a reader without room wants more");
            room.put_slice(&rest[..taken]);
            rest = &rest[taken..];
            response = reader.parse(false);
        }
    }
    if response == Ok(None) {
        response = reader.parse(true);
    }
    assert!(reader.received() <= ResponseReader::LEN_MAX);
    assert_eq!(reader.parse(true).is_err(), response.is_err(), "an error persists");
    Read { response, head: reader.head().to_vec(), body: reader.body().to_vec() }
}

/// A response is the same in one piece and in many. Only whether the connection can be used again
/// depends on whether bytes after it have arrived already.
pub(crate) fn run(bytes: &[u8]) {
    let without_keep_alive = |read: Read| Read {
        response: read
            .response
            .map(|response| response.map(|response| Response { keep_alive: false, ..response })),
        ..read
    };
    let whole = read(std::iter::once(bytes));
    if let Ok(Some(response)) = whole.response {
        assert!(response.status >= 200 && response.len <= bytes.len());
        assert!(whole.body.len() <= bytes.len());
    }
    let in_pieces = read(pieces(bytes));
    if bytes.len() <= ResponseReader::LEN_MAX {
        assert_eq!(without_keep_alive(whole), without_keep_alive(in_pieces));
    }
}
