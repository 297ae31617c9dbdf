//! Over a socket: clients that do not read their answers, or read them slowly, lose their
//! connections, and cost little memory of the kernel until then.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::{Request, Response};
use seckill::server::{Limits, Timeouts, serve_connections};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::{HANG, within};

const LARGE: usize = 4 << 20;

/// 4 MiB in pieces, without a length, as the ledger is sent.
struct Pieces(usize);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0 += 1;
        let piece = || Ok(Frame::data(Bytes::from_static(&[b'x'; 64 << 10])));
        Poll::Ready((self.0 <= LARGE >> 16).then(piece))
    }
}

async fn answer(_: IpAddr, request: Request<Incoming>) -> Response<Either<Full<Bytes>, Pieces>> {
    Response::new(match request.uri().path() {
        "/large" => Either::Left(Full::new(Bytes::from_static(&[b'x'; LARGE]))),
        "/pieces" => Either::Right(Pieces(0)),
        _ => Either::Left(Full::new(Bytes::from_static(b"ok"))),
    })
}

async fn serve(answer_timeout: Duration, answer_rate: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let timeouts = Timeouts { answer: answer_timeout, answer_rate, ..Timeouts::default() };
    let limits = Limits { connections_max: 100, drain_timeout: HANG, timeouts };
    tokio::spawn(serve_connections(listener, limits, answer, std::future::pending()));
    address
}

/// A client whose own buffers in the kernel are small.
async fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_send_buffer_size(4096).unwrap();
    within(socket.connect(address)).await.unwrap()
}

async fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    within(stream.write_all(request.as_bytes())).await.unwrap();
}

/// Bytes that the kernel holds to be sent, for each connection of the server.
fn unsent(address: SocketAddr) -> Vec<usize> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", address.port());
    let mut queues = Vec::new();
    for line in table.lines().skip(1) {
        let words: Vec<_> = line.split_whitespace().collect();
        if words[1].ends_with(&port) && words[3] != "0A" {
            let (sending, _) = words[4].split_once(':').unwrap();
            queues.push(usize::from_str_radix(sending, 16).unwrap());
        }
    }
    queues
}

/// Waits until the condition holds for the queues of the server.
async fn until(address: SocketAddr, what: &str, holds: impl Fn(&[usize]) -> bool) {
    let deadline = Instant::now() + HANG;
    while !holds(&unsent(address)) {
        assert!(Instant::now() < deadline, "{what}: {:?}", unsent(address));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The bytes that a client receives until its connection is reset.
async fn read_until_reset(stream: &mut TcpStream, len: usize, pause: Duration) -> usize {
    let (mut buffer, mut received) = (vec![0; len], 0);
    loop {
        match within(stream.read(&mut buffer)).await {
            Ok(0) => panic!("closed without a reset after {received} bytes"),
            Ok(read) => received += read,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                return received;
            }
        }
        tokio::time::sleep(pause).await;
    }
}

#[tokio::test]
async fn never_reading_clients_are_cut_and_hold_little_kernel_memory() {
    for (path, limit) in [("/large", 64 << 10), ("/pieces", 1 << 20)] {
        // Long enough to see all of them wait, on a busy machine, too.
        let address = serve(Duration::from_secs(3), 1 << 20).await;
        let mut clients = Vec::new();
        for _ in 0..20 {
            let mut client = connect(address).await;
            ask(&mut client, path).await;
            clients.push(client);
        }
        until(address, "all wait", |queues| queues.iter().filter(|len| **len > 0).count() == 20)
            .await;
        // Another client is served beside them.
        let mut buyer = connect(address).await;
        ask(&mut buyer, "/").await;
        let mut status = [0; 12];
        within(buyer.read_exact(&mut status)).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        let most = unsent(address).into_iter().max().unwrap();
        assert!(most <= limit, "{path}: {most} bytes for one client");
        until(address, "all are cut", |queues| queues.len() == 1).await;
        read_until_reset(&mut clients[0], 4096, Duration::ZERO).await;
    }
}

#[tokio::test]
async fn slow_reader_is_cut() {
    for path in ["/large", "/pieces"] {
        let address = serve(Duration::from_secs(1), 1 << 20).await;
        let mut client = connect(address).await;
        ask(&mut client, path).await;
        let received = read_until_reset(&mut client, 1024, Duration::from_millis(20)).await;
        assert!(received < LARGE / 2, "{received} bytes of {path}");
    }
}

#[tokio::test]
async fn reader_above_the_minimum_rate_gets_a_long_answer_in_full() {
    for path in ["/large", "/pieces"] {
        // At this rate the answer may take 128 s, but without regard to its length only 0.3 s.
        let address = serve(Duration::from_millis(300), 32 << 10).await;
        let mut client = within(TcpStream::connect(address)).await.unwrap();
        ask(&mut client, path).await;
        let (mut buffer, mut received) = (vec![0; 64 << 10], 0);
        while received < LARGE {
            match within(client.read(&mut buffer)).await.unwrap() {
                0 => panic!("closed after {received} bytes of {path}"),
                read => received += read,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn pipelining_client_that_never_reads_is_cut() {
    let address = serve(Duration::from_secs(1), 1 << 20).await;
    let mut client = connect(address).await;
    let requests = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1_000);
    let error = within(async {
        loop {
            if let Err(error) = client.write_all(requests.as_bytes()).await {
                return error;
            }
            assert!(unsent(address).iter().all(|len| *len <= 64 << 10), "{:?}", unsent(address));
        }
    });
    let kind = error.await.kind();
    let ended = [std::io::ErrorKind::ConnectionReset, std::io::ErrorKind::BrokenPipe];
    assert!(ended.contains(&kind), "{kind}");
}
