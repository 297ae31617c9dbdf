//! A server that answers each request as a script says, legally or not. It uses threads and
//! sockets, because an HTTP library would refuse to break the rules.

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
use uuid::Uuid;

/// A request that was received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Its number among all requests, from 0.
    pub(crate) number: usize,
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// The number of earlier requests of the same kind and id.
    pub(crate) before: usize,
    /// Whether it polls a result; otherwise it is an attempt, or a step of a described shop.
    pub(crate) is_result: bool,
    /// The id in it; nil in a request of a described shop that has none.
    pub(crate) id: RequestId,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// When it had arrived completely.
    pub(crate) at: Instant,
    /// When its answer was about to be sent.
    pub(crate) answered: Option<Instant>,
}

/// The reaction to a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Send these bytes.
    Bytes(Vec<u8>),
    /// Send these bytes and the connection's end together, so that they arrive at the same time.
    Last(Vec<u8>),
    /// Send these bytes, and close the connection after this time, whatever has arrived.
    Brief(Vec<u8>, Duration),
    /// Close the connection.
    Close,
    /// Send nothing until the client disconnects.
    Hang,
}

/// A request that is answered with the number of its connection.
const PROBE: &str = "GET /probe HTTP/1.1\r\n\r\n";

type Script = Box<dyn Fn(&Received) -> Reply + Send + Sync>;

/// The server; it stops when dropped.
pub(crate) struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    script: Script,
    requests: Mutex<Vec<Received>>,
    has_ended: AtomicBool,
}

impl Scripted {
    /// Starts on a free port. The script runs on the connection's thread, so it may block.
    pub(crate) fn start(script: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        // This process holds both ends of each connection.
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            requests: Mutex::default(),
            has_ended: AtomicBool::new(false),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || accept(&listener, &shared))
        };
        Self { address, shared, accepting: Some(accepting) }
    }

    /// Like [`Scripted::start`], with the same reply to every request.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::start(move |_| reply.clone())
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, in order of their numbers.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.shared.requests().clone()
    }

    /// The attempts among them by id; those of one id in their order.
    pub(crate) fn attempts(&self) -> HashMap<RequestId, Vec<Received>> {
        let mut attempts: HashMap<_, Vec<_>> = HashMap::new();
        for request in self.requests().into_iter().filter(|request| !request.is_result) {
            attempts.entry(request.id).or_default().push(request);
        }
        attempts
    }

    /// The number of connections opened so far, used or not.
    pub(crate) fn connections(&self) -> usize {
        // Connections are accepted in order, so the number of a further one is their count.
        let mut probe = TcpStream::connect(self.address).unwrap();
        probe.write_all(PROBE.as_bytes()).unwrap();
        let mut number = [0; size_of::<usize>()];
        probe.read_exact(&mut number).unwrap();
        usize::from_ne_bytes(number)
    }
}

impl Received {
    /// The method and the target of the request.
    pub(crate) fn request(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.trim_end_matches(" HTTP/1.1")
    }

    /// The value of a header, if there is one of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Release);
        // Wakes the accepting thread.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn requests(&self) -> MutexGuard<'_, Vec<Received>> {
        self.requests.lock().unwrap()
    }

    /// Records a request, and returns it with its numbers.
    fn note(&self, connection: usize, head: String, body: Vec<u8>) -> Received {
        let result = head.strip_prefix("GET /result/");
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        let id = match result {
            Some(path) => path.split(['?', ' ']).next(),
            None => json["request_id"].as_str(),
        };
        let is_built_in = head.starts_with("POST /seckill ");
        let id = id.and_then(|id| id.parse().ok());
        assert!(id.is_some() || !is_built_in, "an attempt without its id: {head}");
        let (id, is_result) = (id.unwrap_or(RequestId(Uuid::nil())), result.is_some());
        let mut requests = self.requests();
        let is_same = |other: &&Received| other.id == id && other.is_result == is_result;
        let before = requests.iter().filter(is_same).count();
        let (number, at) = (requests.len(), Instant::now());
        let answered = None;
        let new = Received { number, connection, before, is_result, id, head, body, at, answered };
        requests.push(new.clone());
        new
    }
}

/// Accepts connections until stopped.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (connection, stream) in listener.incoming().enumerate() {
        if shared.has_ended.load(Ordering::Acquire) {
            return;
        }
        let (stream, shared) = (stream.unwrap(), Arc::clone(shared));
        std::thread::spawn(move || serve(stream, connection, &shared));
    }
}

/// Serves one connection to its end. A client that disconnects is no error.
fn serve(mut stream: TcpStream, connection: usize, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    while let Some((head, body)) = next_request(&mut stream, &mut bytes) {
        if PROBE.starts_with(&head) {
            stream.write_all(&connection.to_ne_bytes()).unwrap();
            return;
        }
        let request = shared.note(connection, head, body);
        let reply = (shared.script)(&request);
        shared.requests()[request.number].answered = Some(Instant::now());
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
            // Waits until the client disconnects: closing earlier with unread bytes would send a
            // reset.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
            return;
        }
    }
}

/// Reads head and body of the next request; `bytes` keeps what arrived of a later one.
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

/// A correct answer. `fields` are additional lines of the head.
pub(crate) fn answer(status: u16, fields: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("HTTP/1.1 {status} Said\r\n{fields}Content-Length: {len}\r\n\r\n{body}").into_bytes()
}

/// An answer that refuses with this reason.
pub(crate) fn refused(status: u16, reason: &str, fields: &str) -> Reply {
    Reply::Bytes(answer(status, fields, &format!(r#"{{"status":"rejected","reason":"{reason}"}}"#)))
}

pub(crate) fn sold_out() -> Reply {
    refused(410, "sold_out", "")
}

pub(crate) fn queued() -> Reply {
    Reply::Bytes(answer(202, "", r#"{"status":"queued"}"#))
}

/// An answer saying that the attempt has won the order `order-ID`.
pub(crate) fn won(request: &Received) -> Reply {
    let order = order(request.id);
    Reply::Bytes(answer(200, "", &format!(r#"{{"status":"won","order_id":"{order}"}}"#)))
}

/// The order in the answer of [`won`].
pub(crate) fn order(id: RequestId) -> String {
    format!("order-{id}")
}

/// Opens once; threads wait at it for an event elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Latch {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Latch {
    pub(crate) fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub(crate) fn wait(&self) {
        let guard = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(guard, |is_open| !*is_open).unwrap());
    }
}
