//! A server that does with each request what a script says, right or wrong: threads and sockets,
//! and no HTTP library, which would refuse to break a rule.
#![allow(dead_code)] // Each test uses a part of it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seckill::ids::RequestId;
use serde_json::Value;
use socket2::SockRef;

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Which of all, from 0.
    pub(crate) number: usize,
    /// On which connection, from 0.
    pub(crate) connection: usize,
    /// How many of the same kind and id came before it.
    pub(crate) before: usize,
    /// Whether it asks for a decision; otherwise it is an attempt.
    pub(crate) is_result: bool,
    pub(crate) id: RequestId,
    pub(crate) head: String,
    /// When it was here, whole.
    pub(crate) at: Instant,
    /// When its answer was about to be sent.
    pub(crate) answered: Option<Instant>,
}

/// What is done with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// These bytes are sent.
    Bytes(Vec<u8>),
    /// These bytes are sent together with the connection's end: whoever has the one has the other.
    Last(Vec<u8>),
    /// These bytes are sent, and after a while the connection is closed, whatever has come.
    Brief(Vec<u8>, Duration),
    /// The connection is closed.
    Close,
    /// Nothing, until the client has gone.
    Hang,
}

/// The request that is answered with its connection's number.
const PROBE: &str = "GET /probe HTTP/1.1\r\n\r\n";

type Script = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// See the module. It ends when dropped.
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    script: Script,
    asked: Mutex<Vec<Asked>>,
    has_ended: AtomicBool,
}

impl Scripted {
    /// Starts on a free port. The script runs on the thread of the connection: it may block.
    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        // Both ends of each connection are files of this process.
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            asked: Mutex::default(),
            has_ended: AtomicBool::new(false),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || accept(&listener, &shared))
        };
        Self { address, shared, accepting: Some(accepting) }
    }

    /// As [`Scripted::start`], with the same for every request.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, in the order of their numbers.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked().clone()
    }

    /// The attempts among them, by id; those of an id in their order.
    pub(crate) fn attempts(&self) -> HashMap<RequestId, Vec<Asked>> {
        let mut attempts: HashMap<_, Vec<_>> = HashMap::new();
        for asked in self.asked().into_iter().filter(|asked| !asked.is_result) {
            attempts.entry(asked.id).or_default().push(asked);
        }
        attempts
    }

    /// How many connections were opened to it so far, used or not.
    pub(crate) fn connections(&self) -> usize {
        // They are accepted in their order: the number of one more is how many there were.
        let mut probe = TcpStream::connect(self.address).unwrap();
        probe.write_all(PROBE.as_bytes()).unwrap();
        let mut number = [0; size_of::<usize>()];
        probe.read_exact(&mut number).unwrap();
        usize::from_ne_bytes(number)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap()
    }

    /// Notes a request, and gives it back with its place among the others.
    fn note(&self, connection: usize, head: String, body: &[u8]) -> Asked {
        let result = head.strip_prefix("GET /result/");
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = match result {
            Some(path) => path.split(['?', ' ']).next().unwrap(),
            None => body["request_id"].as_str().unwrap(),
        };
        let (id, is_result): (RequestId, _) = (id.parse().unwrap(), result.is_some());
        let mut asked = self.asked();
        let is_same = |other: &&Asked| other.id == id && other.is_result == is_result;
        let before = asked.iter().filter(is_same).count();
        let (number, at) = (asked.len(), Instant::now());
        let new = Asked { number, connection, before, is_result, id, head, at, answered: None };
        asked.push(new.clone());
        new
    }
}

/// Accepts until told to end.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (connection, stream) in listener.incoming().enumerate() {
        if shared.has_ended.load(Ordering::Acquire) {
            return;
        }
        let (stream, shared) = (stream.unwrap(), Arc::clone(shared));
        std::thread::spawn(move || serve(stream, connection, &shared));
    }
}

/// One connection, to its end. A client that goes is no error.
fn serve(mut stream: TcpStream, connection: usize, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    while let Some((head, body)) = next_request(&mut stream, &mut bytes) {
        if PROBE.starts_with(&head) {
            stream.write_all(&connection.to_ne_bytes()).unwrap();
            return;
        }
        let asked = shared.note(connection, head, &body);
        let reply = (shared.script)(&asked);
        shared.asked()[asked.number].answered = Some(Instant::now());
        let goes_on = match &reply {
            Reply::Bytes(bytes) => stream.write_all(bytes).is_ok(),
            Reply::Last(bytes) => {
                let _ = SockRef::from(&stream).set_tcp_cork(true);
                let _ = stream.write_all(bytes);
                let _ = stream.shutdown(Shutdown::Write);
                false
            }
            Reply::Brief(bytes, pause) => {
                let _ = stream.write_all(bytes);
                std::thread::sleep(*pause);
                return;
            }
            Reply::Close => return,
            Reply::Hang => false,
        };
        if !goes_on {
            // Until the client has gone: closed before, with bytes unread, it would be a reset.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
            return;
        }
    }
}

/// Head and body of the next request; `bytes` keeps what came with it of a later one.
fn next_request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.lines();
            let len = lines.find_map(|line| line.strip_prefix("Content-Length: "));
            let (body, len) = (end + 4, len.map_or(0, |len| len.parse().unwrap()));
            if bytes.len() >= body + len {
                let rest = bytes.split_off(body + len);
                let body = bytes.split_off(body);
                *bytes = rest;
                return Some((head, body));
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(len) => bytes.extend_from_slice(&piece[..len]),
        }
    }
}

/// An answer as a right server sends it. `fields` are lines of the head.
pub(crate) fn answer(status: u16, fields: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("HTTP/1.1 {status} Said\r\n{fields}Content-Length: {len}\r\n\r\n{body}").into_bytes()
}

/// The answer that refuses for a reason.
pub(crate) fn refused(status: u16, reason: &str, fields: &str) -> Reply {
    Reply::Bytes(answer(status, fields, &format!(r#"{{"status":"rejected","reason":"{reason}"}}"#)))
}

pub(crate) fn sold_out() -> Reply {
    refused(410, "sold_out", "")
}

pub(crate) fn queued() -> Reply {
    Reply::Bytes(answer(202, "", r#"{"status":"queued"}"#))
}

/// The answer that an attempt has won the order `order-ID`.
pub(crate) fn won(asked: &Asked) -> Reply {
    let order = order(asked.id);
    Reply::Bytes(answer(200, "", &format!(r#"{{"status":"won","order_id":"{order}"}}"#)))
}

/// The order that [`won`] names.
pub(crate) fn order(id: RequestId) -> String {
    format!("order-{id}")
}

/// Opens once: whoever has to wait for something that happens elsewhere waits here.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub(crate) fn pass(&self) {
        let guard = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(guard, |is_open| !*is_open).unwrap());
    }
}
