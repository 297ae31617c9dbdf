use super::*;

fn parsed(bytes: &[u8], at_end: bool) -> Result<Option<(Response, Vec<u8>)>, ProtocolError> {
    let mut reader = ResponseReader::new();
    reader.room().put_slice(bytes);
    let response = reader.parse(at_end)?;
    Ok(response.map(|response| (response, reader.body().to_vec())))
}

/// Parses the bytes split at every position: there is no response before the end, and the same
/// one at the end.
fn parse_in_pieces(bytes: &[u8]) -> (u16, Vec<u8>, bool) {
    for at in 0..bytes.len() {
        assert_eq!(parsed(&bytes[..at], false), Ok(None), "cut at {at}");
    }
    let (response, body) = parsed(bytes, false).unwrap().unwrap();
    assert_eq!(response.len, bytes.len());
    (response.status, body, response.keep_alive)
}

#[test]
fn every_framing_is_parsed_wherever_it_is_split() {
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
    assert_eq!(parsed(bytes, false), Ok(None));
    let (response, body) = parsed(bytes, true).unwrap().unwrap();
    assert_eq!((&*body, response.keep_alive, response.len), (&b"hi"[..], false, bytes.len()));
}

#[test]
fn following_bytes_do_not_belong_to_the_response() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1";
    let (response, _) = parsed(bytes, false).unwrap().unwrap();
    assert_eq!((response.len, response.keep_alive), (38, false));
}

#[test]
fn invalid_responses_are_rejected() {
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
        assert_eq!(parsed(bytes, false), Err(ProtocolError), "{}", bytes.escape_ascii());
    }
}

#[test]
fn head_like_the_one_before_is_read_as_if_it_were_the_first() {
    let heads = [
        "HTTP/1.1 410 Gone\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 410 Gone\r\ncontent-length: 2\r\nx: y\r\n\r\n",
        "HTTP/1.1 410 Gone\r\ncontent-length: 3\r\n\r\n",
        "HTTP/1.1 503 Busy\r\ncontent-length: 2\r\nretry-after: 7\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 410 Gone\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 410 Gone\r\ncontent-length: 2",
        "HTTP/1.1 nonsense\r\n\r\n",
    ];
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 2\r\n\r\n", "x".repeat(300));
    let mut reader = ResponseReader::new();
    let all = || heads.into_iter().chain([&*long]);
    for (first, second) in all().flat_map(|first| all().map(move |second| (first, second))) {
        for (head, body) in [(first, "hi"), (second, "yo"), (second, "1\r\nx\r\n0\r\n\r\n")] {
            let bytes = [head, body].concat().into_bytes();
            reader.clear();
            reader.room().put_slice(&bytes);
            let again = reader.parse(false);
            let again = again.map(|it| it.map(|response| (response, reader.body().to_vec())));
            assert_eq!(again, parsed(&bytes, false), "{head} after {first}");
        }
    }
}
