//! Writes an answer as hyper would, in one piece.

use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::Response;
use hyper::header::CONNECTION;
use tokio::net::TcpStream;

use crate::api::Refusal;

use super::super::answer::refused;

thread_local! {
    static OUTPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static DATE: RefCell<Date> = const { RefCell::new(Date { text: String::new(), until: None }) };
    /// The refusals that this thread has sent.
    static REFUSALS: RefCell<Vec<Prepared>> = const { RefCell::new(Vec::new()) };
}

/// The value of a `Date` field, until the second ends.
struct Date {
    text: String,
    until: Option<Instant>,
}

/// The bytes of a refusal after which the connection goes on.
struct Prepared {
    refusal: Refusal,
    bytes: Vec<u8>,
    /// When its date is another one.
    until: Instant,
}

/// Sends a refusal whose answer is always the same, after which the connection may end. Returns
/// what the kernel has not taken.
pub(super) fn refuse(
    stream: &TcpStream,
    refusal: Refusal,
    is_last: bool,
    now: Instant,
) -> Option<Vec<u8>> {
    if is_last {
        return send(stream, &refused(refusal), true).0;
    }
    REFUSALS.with_borrow_mut(|prepared| {
        let found = prepared.iter().position(|prepared| prepared.refusal == refusal);
        let index = found.unwrap_or_else(|| {
            prepared.push(Prepared { refusal, bytes: Vec::new(), until: now });
            prepared.len() - 1
        });
        let Prepared { bytes, until, .. } = &mut prepared[index];
        if now >= *until {
            bytes.clear();
            write(&refused(refusal), false, now, bytes);
            *until = DATE.with_borrow(|date| date.until.unwrap_or(now));
        }
        unsent(stream, bytes)
    })
}

/// Sends an answer, after which the connection ends if this says so. Returns what the kernel has
/// not taken, and whether the connection ends.
pub(super) fn send(
    stream: &TcpStream,
    response: &Response<Bytes>,
    is_last: bool,
) -> (Option<Vec<u8>>, bool) {
    OUTPUT.with_borrow_mut(|output| {
        output.clear();
        let is_last = write(response, is_last, Instant::now(), output);
        (unsent(stream, output), is_last)
    })
}

/// Sends these bytes, and returns those that the kernel has not taken.
fn unsent(stream: &TcpStream, bytes: &[u8]) -> Option<Vec<u8>> {
    // An error shows again when the rest is sent.
    let sent = stream.try_write(bytes).unwrap_or(0);
    (sent < bytes.len()).then(|| bytes[sent..].to_vec())
}

fn write(
    response: &Response<Bytes>,
    mut is_last: bool,
    now: Instant,
    output: &mut Vec<u8>,
) -> bool {
    let status = response.status();
    output.extend_from_slice(b"HTTP/1.1 ");
    output.extend_from_slice(status.as_str().as_bytes());
    output.push(b' ');
    output.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    output.extend_from_slice(b"\r\n");
    for (name, value) in response.headers() {
        if name == CONNECTION {
            // The only one that the server sets says that the connection ends.
            is_last = true;
            continue;
        }
        line(output, name.as_str(), value.as_bytes());
    }
    if is_last {
        line(output, "connection", b"close");
    }
    line(output, "content-length", response.body().len().to_string().as_bytes());
    DATE.with_borrow_mut(|date| line(output, "date", date.at(now).as_bytes()));
    output.extend_from_slice(b"\r\n");
    output.extend_from_slice(response.body());
    is_last
}

fn line(output: &mut Vec<u8>, name: &str, value: &[u8]) {
    output.extend_from_slice(name.as_bytes());
    output.extend_from_slice(b": ");
    output.extend_from_slice(value);
    output.extend_from_slice(b"\r\n");
}

impl Date {
    fn at(&mut self, now: Instant) -> &str {
        if self.until.is_none_or(|until| now >= until) {
            let wall = SystemTime::now();
            let into = wall.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
            self.text = httpdate::fmt_http_date(wall);
            self.until =
                now.checked_add(Duration::from_secs(1) - Duration::from_nanos(into.into()));
        }
        &self.text
    }
}
