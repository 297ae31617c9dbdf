use std::io::ErrorKind;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::profile::{Action, Fault, Toxic};

use super::{Proxies, Proxy};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

/// A proxy to a listener of the test.
struct Site {
    proxy: Proxy,
    listener: TcpListener,
    _proxies: Proxies,
}

/// Both ends of a connection through the proxy.
struct Ends {
    near: TcpStream,
    far: TcpStream,
}

impl Site {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxies = Proxies::start().unwrap();
        let proxy = proxies.proxy(listener.local_addr().unwrap()).await.unwrap();
        Self { proxy, listener, _proxies: proxies }
    }

    async fn open(&self) -> Ends {
        let near = TcpStream::connect(self.proxy.address()).await.unwrap();
        let (far, _) = timeout(LONG, self.listener.accept()).await.unwrap().unwrap();
        Ends { near, far }
    }

    fn add(&self, text: &str) -> u64 {
        self.proxy.add(toxic(text))
    }
}

fn toxic(text: &str) -> Toxic {
    let fault: Fault = format!("at=0s what=client do={text}").parse().unwrap();
    match fault.does {
        Action::Link(toxic) => toxic,
        other => panic!("{other:?}"),
    }
}

impl Ends {
    /// Sends from the near end, and receives at the far one.
    async fn pass(&mut self, bytes: &[u8]) {
        self.near.write_all(bytes).await.unwrap();
        assert_eq!(read(&mut self.far, bytes.len()).await, bytes);
    }
}

async fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    timeout(LONG, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// How a stream ends: the bytes that were received before, and an error if it was reset.
async fn end(stream: &mut TcpStream) -> (usize, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut bytes)).await.unwrap();
    (bytes.len(), read.err().map(|error| error.kind()))
}

/// Whether nothing arrives for a while.
async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(Duration::from_millis(50), stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn bytes_pass_in_both_directions_and_ends_are_passed_on() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    ends.pass(&[7; 100_000]).await;
    ends.far.write_all(b"answer").await.unwrap();
    assert_eq!(read(&mut ends.near, 6).await, b"answer");
    ends.near.shutdown().await.unwrap();
    assert_eq!(end(&mut ends.far).await, (0, None));
    ends.far.write_all(b"late").await.unwrap();
    drop(ends.far);
    assert_eq!(end(&mut ends.near).await, (4, None));
}

#[tokio::test]
async fn bytes_in_a_black_hole_arrive_afterwards() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    let id = site.add("blackhole");
    ends.near.write_all(b"lost?").await.unwrap();
    let mut new = TcpStream::connect(site.proxy.address()).await.unwrap();
    new.write_all(b"new").await.unwrap();
    assert!(is_silent(&mut ends.far).await);
    site.proxy.remove(id);
    assert_eq!(read(&mut ends.far, 5).await, b"lost?");
    let (mut far, _) = timeout(LONG, site.listener.accept()).await.unwrap().unwrap();
    assert_eq!(read(&mut far, 3).await, b"new");
}

#[tokio::test]
async fn black_hole_of_one_direction_leaves_the_other_one() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    site.add("blackhole way=down");
    ends.pass(b"up").await;
    ends.far.write_all(b"down").await.unwrap();
    assert!(is_silent(&mut ends.near).await);
}

#[tokio::test]
async fn connections_are_reset() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    ends.pass(b"x").await;
    let id = site.add("reset");
    assert_eq!(end(&mut ends.near).await, (0, Some(ErrorKind::ConnectionReset)));
    assert_eq!(end(&mut ends.far).await, (0, Some(ErrorKind::ConnectionReset)));
    // A new one, too: as soon as it is open, or a moment later.
    let reset = match TcpStream::connect(site.proxy.address()).await {
        Ok(mut new) => end(&mut new).await.1,
        Err(error) => Some(error.kind()),
    };
    assert_eq!(reset, Some(ErrorKind::ConnectionReset));
    site.proxy.remove(id);
    site.open().await.pass(b"x").await;
}

#[tokio::test]
async fn connections_are_refused_while_the_link_is_down() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    ends.pass(b"x").await;
    let id = site.add("down");
    assert_eq!(end(&mut ends.near).await.0, 0);
    assert_eq!(end(&mut ends.far).await.0, 0);
    let connect = || TcpStream::connect(site.proxy.address());
    while connect().await.is_ok() {}
    assert_eq!(connect().await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    site.proxy.remove(id);
    while connect().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn near_end_of_a_half_open_connection_is_not_told() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    ends.pass(b"x").await;
    let id = site.add("half-open");
    assert_eq!(end(&mut ends.far).await.0, 0, "the far end is gone");
    ends.near.write_all(b"into the void").await.unwrap();
    assert!(is_silent(&mut ends.near).await);
    site.proxy.remove(id);
    assert_eq!(end(&mut ends.near).await, (0, Some(ErrorKind::ConnectionReset)));
}

#[tokio::test]
async fn connection_is_closed_after_its_limit_of_bytes() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    ends.pass(&[0; 50]).await;
    site.add("limit-data bytes=64");
    ends.near.write_all(&[0; 100]).await.unwrap();
    assert_eq!(end(&mut ends.far).await.0, 64, "those before the fault do not count");
}

#[tokio::test]
async fn times_of_faults_are_kept() {
    let site = Site::new().await;
    let mut ends = site.open().await;
    for (fault, bytes, at_least_ms) in [
        ("latency delay=80ms", 1, 80),
        ("latency delay=80ms jitter=30ms", 1, 50),
        ("bandwidth rate=1000/s", 100, 80),
        ("slicer bytes=10 delay=10ms", 100, 90),
    ] {
        let id = site.add(fault);
        let began = Instant::now();
        ends.pass(&vec![0; bytes]).await;
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(at_least_ms), "{fault}: {took:?}");
        site.proxy.remove(id);
    }
    let id = site.add("slow-close delay=60ms");
    let began = Instant::now();
    ends.near.shutdown().await.unwrap();
    assert_eq!(end(&mut ends.far).await, (0, None));
    assert!(began.elapsed() >= Duration::from_millis(60));
    site.proxy.remove(id);
    let mut ends = site.open().await;
    let began = Instant::now();
    site.add("timeout delay=60ms");
    ends.near.write_all(b"x").await.unwrap();
    assert_eq!(end(&mut ends.near).await.0, 0, "it is closed without an answer");
    assert!(began.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn latency_does_not_limit_the_bytes_on_their_way() {
    let site = Site::new().await;
    let ends = site.open().await;
    site.add("latency delay=20ms");
    let began = Instant::now();
    let (mut sender, mut receiver) = (ends.near, ends.far);
    let sends = tokio::spawn(async move {
        for _ in 0..200 {
            sender.write_all(&[1; 10]).await.unwrap();
            tokio::task::yield_now().await;
        }
        sender
    });
    assert_eq!(read(&mut receiver, 2_000).await.len(), 2_000);
    drop(sends.await.unwrap());
    let one_by_one = Duration::from_millis(200 * 20);
    assert!(began.elapsed() < one_by_one, "{:?}", began.elapsed());
}
