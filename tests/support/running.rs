//! A whole server on a free loopback port, and a client that writes raw bytes.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hyper::header::{HeaderMap, HeaderName};
use seckill::journal::Durability;
use seckill::profile::ServePlan;
use seckill::queue::Batch;
use seckill::secret::Secret;
use seckill::server::{App, ServeError, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Reply, TOKEN, attempt, id, publish, terms, within};

/// The configuration of a server on a free loopback port that sells ten units of tea.
pub(crate) fn config(data: &Path) -> ServePlan {
    ServePlan {
        listen: "127.0.0.1:0".into(),
        data: data.to_owned(),
        broker: None,
        redis: None,
        durability: Durability::Fsync,
        accepts: true,
        consumers: 2,
        prefetch: 4,
        queue_max: 1_000,
        connections_max: 100,
        rate_limit: None,
        buyer_rate_limit: None,
        admission: Default::default(),
        admin_token: Some(Secret(TOKEN.into())),
        item: "tea".parse().unwrap(),
        stock: 10,
        per_buyer: 1,
        opens_us: None,
        closes_us: None,
        hold_us: None,
        fresh_sale: false,
        stock_buckets: 1,
        keep_replaced: std::time::Duration::from_secs(3_600),
        flaws: Default::default(),
        blind: false,
    }
}

/// A server that runs until it is stopped.
pub(crate) struct Running {
    pub(crate) app: Arc<App>,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    pub(crate) async fn start(config: ServePlan) -> Self {
        Self::run(within(Server::start(config)).await.unwrap())
    }

    /// Starts with ann's attempt, number 0, delivered to the test: no other consumer gets the item
    /// until the batch is dropped.
    pub(crate) async fn start_with_one_delivered(config: ServePlan) -> (Self, Batch) {
        let server = within(Server::start(config)).await.unwrap();
        let app = server.app();
        publish(&app, attempt("ann", "tea", &id(0))).await.unwrap();
        let held = within(app.queue.subscribe(1).next(1)).await.unwrap();
        (Self::run(server), held)
    }

    fn run(server: Server) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (app, address) = (server.app(), server.address());
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { app, address, stop, task }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins the shutdown.
    pub(crate) fn stop(self) -> JoinHandle<Result<(), ServeError>> {
        self.stop.send(()).unwrap();
        self.task
    }

    /// Shuts down and waits for the end.
    pub(crate) async fn end(self) {
        within(self.stop()).await.unwrap().unwrap();
    }

    pub(crate) async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// Sends one request on a new connection.
    pub(crate) async fn ask(&self, bytes: &str) -> Reply {
        let mut wire = self.connect().await;
        wire.send(bytes).await;
        wire.reply().await
    }

    pub(crate) async fn buy(&self, uid: &str, request_id: &str) -> Reply {
        self.ask(&purchase(uid, request_id)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await
    }

    pub(crate) async fn ledger(&self, token: &str) -> Reply {
        let head = "GET /admin/ledger HTTP/1.1\r\nhost: x\r\nauthorization: Bearer";
        self.ask(&format!("{head} {token}\r\n\r\n")).await
    }
}

/// The bytes of a purchase.
pub(crate) fn purchase(uid: &str, request_id: &str) -> String {
    let body = format!(r#"{{"uid":"{uid}","request_id":"{request_id}"}}"#);
    format!("POST /seckill HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// One connection.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = within(TcpStream::connect(address)).await.unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.get_mut().write_all(bytes.as_ref())).await.unwrap();
    }

    /// Reads one complete answer.
    pub(crate) async fn reply(&mut self) -> Reply {
        let status = self.line().await;
        self.reply_after(&status).await
    }

    /// Reads one complete answer; `None` if the connection ends without one.
    pub(crate) async fn reply_if_any(&mut self) -> Option<Reply> {
        let mut status = String::new();
        match within(self.stream.read_line(&mut status)).await {
            Ok(1..) => Some(self.reply_after(status.trim_end()).await),
            Ok(0) | Err(_) => None,
        }
    }

    async fn reply_after(&mut self, status: &str) -> Reply {
        let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let code = code.unwrap_or_else(|| panic!("no answer: {status:?}"));
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<usize>().ok();
        let body = match (headers.contains_key("transfer-encoding"), number("content-length")) {
            (true, _) => self.chunks().await,
            (false, Some(len)) => self.bytes(len).await,
            (false, None) => Vec::new(),
        };
        Reply { code, headers, body }
    }

    /// One line without its end; empty at the end of the connection.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        within(self.stream.read_line(&mut line)).await.unwrap();
        line.trim_end().to_owned()
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let len = usize::from_str_radix(&self.line().await, 16).unwrap();
            body.extend(self.bytes(len).await);
            assert_eq!(self.line().await, "");
            if len == 0 {
                return body;
            }
        }
    }

    async fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        within(self.stream.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    /// Whether the server has closed the connection without sending more. A reset counts as well,
    /// because unread bytes of the client cause one.
    pub(crate) async fn is_ended(&mut self) -> bool {
        let mut rest = Vec::new();
        match within(self.stream.read_to_end(&mut rest)).await {
            Ok(_) => rest.is_empty(),
            Err(error) => rest.is_empty() && error.kind() == ErrorKind::ConnectionReset,
        }
    }
}
