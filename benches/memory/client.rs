//! A client that keeps its connection.

use std::io::{Read, Write};
use std::net::TcpStream;

use uuid::Uuid;

use super::support::server::Server;

pub(crate) struct Client(TcpStream);

/// The request id of an attempt.
fn id(number: usize) -> Uuid {
    Uuid::from_u128(1 + number as u128)
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        Self(TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap())
    }

    fn send(&mut self, request: &str) {
        self.0.write_all(request.as_bytes()).unwrap();
    }

    /// An answer, whose length is in its head.
    fn receive(&mut self) -> String {
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "the server has ended the connection");
            answer.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let mut lengths = head.lines().filter_map(|line| line.strip_prefix("content-length:"));
            if lengths.next().unwrap().trim() == body.len().to_string() {
                return text.into_owned();
            }
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n"));
        self.receive()
    }

    /// Has an attempt accepted.
    pub(crate) fn buy(&mut self, number: usize) {
        let body = format!("{{\"uid\":\"b{number}\",\"request_id\":\"{}\"}}", id(number));
        self.send(&format!(
            "POST /seckill HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ));
        let answer = self.receive();
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }

    /// Asks for the result of an attempt, and does not wait for it.
    pub(crate) fn ask_for_result(&mut self, number: usize) {
        self.send(&format!("GET /result/{}?wait=30s HTTP/1.1\r\nhost: x\r\n\r\n", id(number)));
    }

    /// Whether the answer to the last request has begun.
    pub(crate) fn is_answered(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        self.0.peek(&mut [0]).is_ok()
    }
}
