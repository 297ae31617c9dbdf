//! Records the answers of the real server, byte for byte, for the replay server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use super::BODY;

/// All requests of the generators and of `seckill bench` before its load, by their beginnings. An
/// HTTP/1.0 client needs a header which states that the connection is kept, and so its own answer.
const REQUESTS: [&str; 4] = [
    "POST /seckill HTTP/1.1\r\n",
    "POST /seckill HTTP/1.0\r\nConnection: keep-alive\r\n",
    "GET /result HTTP/1.1\r\n",
    "GET /result?item=default HTTP/1.1\r\n",
];

/// Sends all requests to the server at `url`, and stores its answers in `folder`.
pub(crate) fn write(url: &str, folder: &Path) {
    for (number, request) in REQUESTS.iter().enumerate() {
        let body = if request.starts_with("POST") { BODY } else { "" };
        let answer = exchange(url, request, body);
        if !body.is_empty() {
            assert!(answer.windows(9).any(|piece| piece == b" 410 Gone"), "sold out");
        }
        std::fs::write(folder.join(number.to_string()), answer).unwrap();
    }
}

/// The answers that [`write`] stored, each with its request line.
pub(crate) fn read(folder: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let answer = |(number, request): (usize, &'static str)| {
        let line = request.split_inclusive("\r\n").next().unwrap();
        (line, std::fs::read(folder.join(number.to_string())).unwrap())
    };
    REQUESTS.into_iter().enumerate().map(answer).collect()
}

fn exchange(url: &str, begin: &str, body: &str) -> Vec<u8> {
    let host = url.strip_prefix("http://").unwrap();
    let head = format!(
        "{begin}Host: {host}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !is_whole(&answer) {
        let mut piece = [0; 4096];
        let len = stream.read(&mut piece).unwrap();
        assert!(len > 0, "the server keeps the connection");
        answer.extend_from_slice(&piece[..len]);
    }
    answer
}

/// Whether this is an answer with its whole body.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(len) => body.len() >= len.parse().unwrap(),
        None => body.ends_with("0\r\n\r\n"),
    }
}
