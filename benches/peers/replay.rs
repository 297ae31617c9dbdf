//! A server that replays the recorded answers of the real one. Each request costs one read and one
//! write, and no head is parsed twice.
//!
//! It is this program in a separate process, so that its CPU time is measured separately.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

use super::record;

/// Longest request, in bytes: all of them are below 1 KiB.
const REQUEST_LEN_MAX: usize = 16 << 10;

/// The data of the listener's events; a connection's events carry its index.
const LISTENER: u64 = u64::MAX;

/// Prints its address, as `seckill serve` does, and answers from `folder` until it is killed.
pub(crate) fn serve(folder: &Path) -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let events = EventFlags::IN;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), events).unwrap();
    let server = Server { epoll, listener, answers: record::read(folder) };
    server.run()
}

struct Server {
    epoll: OwnedFd,
    listener: TcpListener,
    answers: Vec<(&'static str, Vec<u8>)>,
}

impl Server {
    fn run(&self) -> ! {
        let mut connections: Vec<Option<Connection>> = Vec::new();
        let mut events = [const { std::mem::MaybeUninit::<Event>::uninit() }; 512];
        loop {
            let (ready, _) = epoll::wait(&self.epoll, &mut events, None).unwrap();
            for event in ready {
                let data = event.data;
                if data.u64() == LISTENER {
                    self.accept(&mut connections);
                    continue;
                }
                let connection = &mut connections[data.u64() as usize];
                let goes_on = connection.as_mut().is_some_and(|it| it.answer(&self.answers));
                if !goes_on {
                    // Closing it removes it from the epoll instance as well.
                    *connection = None;
                }
            }
        }
    }

    fn accept(&self, connections: &mut Vec<Option<Connection>>) {
        while let Ok((stream, _)) = self.listener.accept() {
            stream.set_nonblocking(true).unwrap();
            stream.set_nodelay(true).unwrap();
            let free = connections.iter().position(Option::is_none);
            let at = free.unwrap_or_else(|| {
                connections.push(None);
                connections.len() - 1
            });
            let data = EventData::new_u64(at as u64);
            epoll::add(&self.epoll, &stream, data, EventFlags::IN).unwrap();
            connections[at] = Some(Connection { stream, rest: Vec::new(), known: None });
        }
    }
}

struct Connection {
    stream: TcpStream,
    /// The bytes of an incomplete request.
    rest: Vec<u8>,
    known: Option<Known>,
}

/// A request that was answered before: a client repeats the same head.
struct Known {
    head: Vec<u8>,
    request_len: usize,
    answer_at: usize,
}

impl Connection {
    /// Answers the received requests; returns false when the connection has ended.
    fn answer(&mut self, answers: &[(&str, Vec<u8>)]) -> bool {
        let mut piece = [0; REQUEST_LEN_MAX];
        let piece = match self.stream.read(&mut piece) {
            Ok(0) => return false,
            Ok(len) => &piece[..len],
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        if let (true, Some(known)) = (self.rest.is_empty(), &self.known)
            && piece.len() == known.request_len
            && piece.starts_with(&known.head)
        {
            return self.stream.write_all(&answers[known.answer_at].1).is_ok();
        }
        self.rest.extend_from_slice(piece);
        while let Some(known) = Known::first(&self.rest, answers) {
            // An answer is far smaller than a socket's buffer, so one write takes all of it or
            // fails.
            if self.stream.write_all(&answers[known.answer_at].1).is_err() {
                return false;
            }
            self.rest.drain(..known.request_len);
            self.known = Some(known);
        }
        self.rest.len() < REQUEST_LEN_MAX
    }
}

impl Known {
    /// The first request in `bytes`, if it is complete.
    fn first(bytes: &[u8], answers: &[(&str, Vec<u8>)]) -> Option<Self> {
        let head_len = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
        let head = bytes[..head_len].to_vec();
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let body_len = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let request_len = head_len + body_len.map_or(0, |len| len.trim().parse().unwrap());
        let answer_at = answers.iter().position(|(begin, _)| head.starts_with(begin.as_bytes()));
        let answer_at = answer_at.unwrap_or_else(|| panic!("no answer was recorded for: {text}"));
        (bytes.len() >= request_len).then_some(Self { head, request_len, answer_at })
    }
}
