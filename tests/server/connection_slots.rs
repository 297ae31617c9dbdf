//! Over a socket: who gets a slot when as many connections are open as may be.

use std::net::SocketAddr;
use std::time::Duration;

use seckill::profile::ServePlan;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use seckill::server::{Limits, Timeouts, serve_connections};

use crate::support::{HANG, Running, Wire, assert_refused, config, id, purchase, within};

const HEALTHZ: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

async fn start(connections_max: usize) -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(ServePlan { connections_max, ..config(folder.path()) }).await;
    (folder, server)
}

#[tokio::test]
async fn longest_idle_connection_gives_its_slot_to_a_new_one() {
    let (_folder, server) = start(2).await;
    let mut oldest = server.connect().await;
    oldest.send(HEALTHZ).await;
    assert_eq!(oldest.reply().await.code, 200);
    let mut newer = server.connect().await;
    newer.send(HEALTHZ).await;
    assert_eq!(newer.reply().await.code, 200);
    let mut buyer = server.connect().await;
    buyer.send(purchase("ann", &id(1))).await;
    assert_eq!(buyer.reply().await.code, 202);
    assert!(oldest.is_ended().await);
    newer.send(HEALTHZ).await;
    assert_eq!(newer.reply().await.code, 200);
    server.end().await;
}

#[tokio::test]
async fn connection_without_a_request_gives_its_slot_to_a_new_one() {
    let (_folder, server) = start(1).await;
    let mut silent = server.connect().await;
    assert_eq!(server.buy("ann", &id(1)).await.code, 202);
    assert!(silent.is_ended().await);
    server.end().await;
}

#[tokio::test]
async fn request_that_is_being_answered_keeps_its_slot_and_a_new_connection_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = ServePlan { connections_max: 1, ..config(folder.path()) };
    let (server, held) = Running::start_with_one_delivered(config).await;
    let mut waiting = server.connect().await;
    waiting.send(format!("GET /result/{}?wait=30s HTTP/1.1\r\nhost: x\r\n\r\n", id(0))).await;
    let mut refused = server.connect().await;
    // The rest of the body has not been sent when the answer comes, and does not destroy it.
    let bytes = purchase("bob", &id(2));
    refused.send(&bytes[..bytes.len() - 10]).await;
    let reply = refused.reply().await;
    assert_refused(&reply, 503, "queue_full");
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(refused.is_ended().await);
    drop(held);
    assert_eq!(waiting.reply().await.code, 200);
    assert_refused(&server.get(&format!("/result/{}", id(2))).await, 404, "unknown_request");
    server.end().await;
}

#[tokio::test]
async fn busy_connection_yields_its_slot_after_its_share_if_another_waits() {
    let (_folder, server) = start(1).await;
    let mut busy = server.connect().await;
    for _ in 0..200 {
        busy.send(HEALTHZ).await;
        assert_eq!(busy.reply().await.header("connection"), None, "nobody waits");
    }
    let mut other = server.connect().await;
    other.send(HEALTHZ).await;
    let mut answers = 0;
    loop {
        busy.send(HEALTHZ).await;
        answers += 1;
        if busy.reply().await.header("connection") == Some("close") {
            break;
        }
        assert!(answers < 100_000, "it goes on");
    }
    assert!(busy.is_ended().await);
    assert_eq!(other.reply().await.code, 200);
    server.end().await;
}

#[tokio::test]
async fn many_connections_over_the_limit_are_all_answered() {
    let (_folder, server) = start(4).await;
    let mut wires = Vec::new();
    for number in 0..200 {
        let mut wire = server.connect().await;
        wire.send(purchase(&format!("buyer-{number}"), &id(number))).await;
        wires.push(wire);
    }
    let mut codes = Vec::new();
    for mut wire in wires {
        codes.push(wire.reply().await.code);
    }
    assert!(codes.iter().all(|code| [202, 410, 503].contains(code)), "{codes:?}");
    assert!(codes.contains(&202), "{codes:?}");
    server.end().await;
}

/// Serves `ok` at the returned address, once a request has arrived in full.
async fn serve_ok(connections_max: usize, timeouts: Timeouts) -> SocketAddr {
    let listener = within(TcpListener::bind("127.0.0.1:0")).await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { connections_max, drain_timeout: HANG, timeouts };
    let answer = |_, request: Request<Incoming>| async {
        let _ = request.into_body().collect().await;
        Response::new(Full::new(Bytes::from("ok")))
    };
    tokio::spawn(serve_connections(listener, limits, answer, std::future::pending()));
    address
}

#[tokio::test]
async fn connection_whose_request_arrives_slowly_gives_its_slot_to_a_new_one() {
    let timeouts = Timeouts { evictable: HANG, head: HANG, slot: HANG, ..Timeouts::default() };
    for slow_bytes in ["G", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1"] {
        let address = serve_ok(1, Timeouts { slow_request: Duration::ZERO, ..timeouts }).await;
        let mut slow = Wire::connect(address).await;
        slow.send(slow_bytes).await;
        let mut buyer = Wire::connect(address).await;
        buyer.send(HEALTHZ).await;
        assert_eq!(buyer.reply().await.code, 200);
        assert!(slow.is_ended().await);
    }
}

#[tokio::test]
async fn slow_head_ends_the_connection_long_before_the_idle_timeout() {
    let timeouts = Timeouts { head: Duration::from_millis(500), ..Timeouts::default() };
    let address = serve_ok(10, timeouts).await;
    let idle = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    let (mut reading, mut writing) = slow.split();
    let sending = async {
        writing.write_all(b"GET / HTTP/1.1\r\nx: ").await?;
        loop {
            writing.write_all(b"x").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        #[allow(unreachable_code, reason = "it names the type of the error")]
        Ok::<_, std::io::Error>(())
    };
    let ended = within(async {
        tokio::select! {
            ended = reading.read_u8() => ended.is_err(),
            sent = sending => sent.is_err(),
        }
    });
    assert!(ended.await);
    assert_eq!(idle.try_read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
