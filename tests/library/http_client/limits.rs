//! The reader's limits: responses just within them are read, and no buffer grows without bound.

use bytes::BufMut;
use seckill::load::{ProtocolError, ResponseReader};

use super::{feed, pieces, read};

const HEAD_LEN_MAX: usize = 16 << 10;
const BODY_LEN_MAX: usize = 64 << 10;
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A head of this length, with an empty body.
fn head_of(len: usize) -> String {
    let (before, after) = ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ", "\r\n\r\n");
    format!("{before}{}{after}", "x".repeat(len - before.len() - after.len()))
}

/// The status and the body's length, which must be the same for three ways of cutting the bytes.
fn outcome(text: &str, at_end: bool) -> Result<Option<usize>, ProtocolError> {
    let body_len = |lens: &[usize]| {
        let mut reader = ResponseReader::new();
        let read = feed(&mut reader, pieces(text.as_bytes(), lens), at_end);
        read.map(|read| read.map(|(_, body)| body.len()))
    };
    let whole = body_len(&[usize::MAX]);
    assert_eq!(body_len(&[7]), whole);
    assert_eq!(body_len(&[1460]), whole);
    whole
}

#[test]
fn head_and_header_limits_are_exact() {
    let refused = Err(ProtocolError);
    assert_eq!(outcome(&head_of(HEAD_LEN_MAX), false), Ok(Some(0)));
    assert_eq!(outcome(&head_of(HEAD_LEN_MAX + 1), false), refused);
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let interims = |len: usize| interim.repeat(100) + &head_of(len - 100 * interim.len());
    assert_eq!(outcome(&interims(HEAD_LEN_MAX), false), Ok(Some(0)));
    assert_eq!(outcome(&interims(HEAD_LEN_MAX + 1), false), refused);
    let fields = |count| format!("HTTP/1.1 204 N\r\n{}\r\n", "a:b\r\n".repeat(count));
    assert_eq!(outcome(&fields(64), false), Ok(Some(0)));
    assert_eq!(outcome(&fields(65), false), refused);

    let sized =
        |len| format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{}", "x".repeat(len));
    assert_eq!(outcome(&sized(BODY_LEN_MAX), false), Ok(Some(BODY_LEN_MAX)));
    assert_eq!(outcome(&sized(BODY_LEN_MAX + 1), false), refused);
    let open = |len| format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(len));
    assert_eq!(outcome(&open(BODY_LEN_MAX), true), Ok(Some(BODY_LEN_MAX)));
    assert_eq!(outcome(&open(BODY_LEN_MAX + 1), true), refused);

    let one = |len| format!("{CHUNKED}{len:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(len));
    assert_eq!(outcome(&one(BODY_LEN_MAX), false), Ok(Some(BODY_LEN_MAX)));
    assert_eq!(outcome(&one(BODY_LEN_MAX + 1), false), refused);
    // Each byte of the body takes six, and its end takes five.
    let many = |count| format!("{CHUNKED}{}0\r\n\r\n", "1\r\nx\r\n".repeat(count));
    let most = (2 * BODY_LEN_MAX - 5) / 6;
    assert_eq!(outcome(&many(most), false), Ok(Some(most)));
    assert_eq!(outcome(&many(most + 1), false), refused);
    let extended = |len| format!("{CHUNKED}0;{}\r\n\r\n", "x".repeat(len - "0;\r\n".len()));
    assert_eq!(outcome(&extended(1024), false), Ok(Some(0)));
    assert_eq!(outcome(&extended(1025), false), refused);
    let trailed =
        |len| format!("{CHUNKED}0\r\nX: {}\r\n\r\n", "x".repeat(len - "X: \r\n\r\n".len()));
    assert_eq!(outcome(&trailed(HEAD_LEN_MAX), false), Ok(Some(0)));
    assert_eq!(outcome(&trailed(HEAD_LEN_MAX + 1), false), refused);
}

#[test]
fn endless_input_is_rejected_before_the_buffer_is_full() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let bare = format!("{ok}\r\n");
    let almost = format!("{CHUNKED}ffff\r\n{}\r\n", "x".repeat(0xffff));
    for (beginning, repeated) in [
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "HTTP/1.1 "),
        ("HTTP/1.1 200 ", "x"),
        (ok, "x"),
        (ok, "x:y\r\n"),
        ("HTTP/1.1 200 OK\r\nx:y\r\n", " y\r\n"),
        (&bare, "x"),
        (CHUNKED, "0"),
        (CHUNKED, "1\r\nx\r\n"),
        (CHUNKED, "000001;extension\r\nx\r\n"),
        (&format!("{CHUNKED}1;"), "x"),
        (&format!("{CHUNKED}0\r\n"), "x"),
        (&format!("{CHUNKED}0\r\n"), "x:y\r\n"),
        (&format!("{almost}0\r\nx:"), "y"),
    ] {
        let repeated = repeated.repeat(40);
        let mut reader = ResponseReader::new();
        reader.room().put_slice(beginning.as_bytes());
        let refused = loop {
            match reader.parse(false) {
                Ok(None) => {}
                refused => break refused,
            }
            let room = reader.room().remaining_mut();
            assert!(room > 0, "{}", repeated.escape_debug());
            reader.room().put_slice(&repeated.as_bytes()[..repeated.len().min(room)]);
        };
        assert_eq!(refused, Err(ProtocolError), "{}", repeated.escape_debug());
        assert!(reader.received() < ResponseReader::LEN_MAX, "{}", repeated.escape_debug());
    }
}

/// A response with every part at its maximum length is accepted.
#[test]
fn longest_allowed_response_is_read_in_any_pieces() {
    let before = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: ";
    let head = format!("{before}{}\r\n\r\n", "x".repeat(HEAD_LEN_MAX - before.len() - 4));
    let chunk = |line_len: usize| {
        let line = format!("1;{}\r\n", "x".repeat(line_len - 4));
        line + "x\r\n"
    };
    let count = 2 * BODY_LEN_MAX / 1027;
    let rest = 2 * BODY_LEN_MAX - 1027 * count - 2;
    let last = format!("0;{}\r\n", "x".repeat(rest - 4));
    let trailers = format!("x:{}\r\n\r\n", "y".repeat(HEAD_LEN_MAX - 6));
    let text = head + &chunk(1024).repeat(count) + &last + &trailers;
    assert_eq!(text.len(), ResponseReader::LEN_MAX - 2);
    assert_eq!(outcome(&text, false), Ok(Some(count)));
}

#[test]
fn buffer_never_exceeds_its_limit() {
    let mut reader = ResponseReader::new();
    assert_eq!(reader.room().remaining_mut(), ResponseReader::LEN_MAX);
    reader.room().put_bytes(0, ResponseReader::LEN_MAX);
    assert!(!reader.room().has_remaining_mut());
    assert_eq!(reader.parse(false), Err(ProtocolError));
    reader.clear();
    assert_eq!((reader.received(), reader.room().remaining_mut()), (0, ResponseReader::LEN_MAX));
    assert_eq!(reader.parse(false), Ok(None));
}

#[test]
fn end_without_bytes_is_not_a_response() {
    assert_eq!(read(b"", true), Ok(None));
}
