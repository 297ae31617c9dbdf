//! Over a socket: clients that send garbage, too much, or nothing at all.

use seckill::profile::ServePlan;

use crate::support::{Running, assert_refused, config, id, purchase};

async fn start() -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(config(folder.path())).await;
    (folder, running)
}

/// Sends bytes; the server must answer with one of these codes, close, and serve the next client.
async fn assert_rejected_and_closed(server: &Running, bytes: &[u8], codes: &[u16]) {
    let mut wire = server.connect().await;
    wire.send(bytes).await;
    let sent = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
    let code = wire.reply().await.code;
    assert!(codes.contains(&code), "{code} to {sent:?}");
    assert!(wire.is_ended().await, "still open after {sent:?}");
    assert_eq!(server.get("/healthz").await.code, 200, "after {sent:?}");
}

/// The server must reject this request as malformed, and close.
async fn assert_bad_head(server: &Running, bytes: &str) {
    let mut wire = server.connect().await;
    wire.send(bytes).await;
    assert_refused(&wire.reply().await, 400, "bad_head");
    assert!(wire.is_ended().await, "still open after {bytes:?}");
}

#[tokio::test]
async fn garbage_is_answered_400_and_disconnected() {
    let (_folder, server) = start().await;
    let cases: [&[u8]; 7] = [
        b"\r\n\r\nhello?\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00\x00\x00\x00\r\n\r\n",
        b"GET  /healthz\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /\xff\xfe\x01 HTTP/1.1\r\n\r\n",
    ];
    for bytes in cases {
        assert_rejected_and_closed(&server, bytes, &[400]).await;
    }
    assert_eq!(server.app.queue.depth().await, Some(0));
    server.end().await;
}

#[tokio::test]
async fn ambiguous_content_length_is_rejected() {
    let (_folder, server) = start().await;
    let lengths = [
        "content-length: 13\r\ncontent-length: 14",
        "content-length: -1",
        "content-length: +13",
        "content-length: 99999999999999999999",
        "transfer-encoding: gzip",
        "transfer-encoding: chunked, gzip",
    ];
    for lengths in lengths {
        let head = format!("POST /seckill HTTP/1.1\r\nhost: x\r\n{lengths}\r\n\r\n");
        let bytes = head + r#"{"uid":"ann"}"#;
        assert_rejected_and_closed(&server, bytes.as_bytes(), &[400]).await;
    }
    assert_eq!(server.app.queue.depth().await, Some(0));
    server.end().await;
}

#[tokio::test]
async fn content_length_beside_transfer_encoding_is_rejected() {
    let (_folder, server) = start().await;
    let heads = [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
        "Transfer-Encoding:chunked\r\nhost: x\r\nCONTENT-LENGTH:0",
    ];
    for head in heads {
        let bytes = format!("POST /seckill HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n0\r\n\r\n");
        assert_bad_head(&server, &bytes).await;
        // Behind another request, and in two parts, split anywhere.
        let purchase = purchase("ann", &id(1));
        let all = purchase.clone() + &bytes;
        for at in purchase.len()..all.len() - 5 {
            let mut wire = server.connect().await;
            wire.send(&all[..at]).await;
            assert!([200, 202].contains(&wire.reply().await.code));
            wire.send(&all[at..]).await;
            assert_refused(&wire.reply().await, 400, "bad_head");
            assert!(wire.is_ended().await);
        }
    }
    server.end().await;
}

#[tokio::test]
async fn content_length_in_a_body_or_the_next_head_is_no_contradiction() {
    let (_folder, server) = start().await;
    let body = format!("{{\"uid\":\"ann\",\"request_id\":\"{}\"}}", id(1));
    let padded = format!("\n\ncontent-length: 3\n\n{body}");
    let head = "POST /seckill HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunked = format!("{head}{:X};ext=1\r\n{padded}\r\n0\r\ntrailer: x\r\n\r\n", padded.len());
    let plain = purchase("ann", &id(1));
    let all = [chunked.as_str(), &plain, "\r\n", &chunked, &plain].concat();
    for len in [all.len(), 100, 7, 1] {
        let mut wire = server.connect().await;
        for part in all.as_bytes().chunks(len) {
            wire.send(part).await;
            tokio::task::yield_now().await;
        }
        let mut codes = Vec::new();
        for _ in 0..4 {
            let reply = wire.reply().await;
            if reply.code == 400 {
                assert_refused(&reply, 400, "bad_body");
            }
            codes.push(reply.code);
        }
        assert!(matches!(codes[..], [400, 200 | 202, 400, 200 | 202]), "{codes:?}");
    }
    server.end().await;
}

#[tokio::test]
async fn other_transfer_codings_are_rejected() {
    let (_folder, server) = start().await;
    let codings = ["gzip, chunked", "identity, chunked", "chunked, chunked"];
    for coding in codings {
        let head = format!("POST /seckill HTTP/1.1\r\nhost: x\r\ntransfer-encoding: {coding}");
        assert_bad_head(&server, &(head + "\r\n\r\n0\r\n\r\n")).await;
    }
    let head = "POST /seckill HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n";
    let bytes = format!("{head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_bad_head(&server, &bytes).await;
    server.end().await;
}

#[tokio::test]
async fn missing_repeated_and_malformed_hosts_are_rejected() {
    let (_folder, server) = start().await;
    let get = |hosts: &str| format!("GET /healthz HTTP/1.1\r\n{hosts}\r\n");
    let bad = [
        "",
        "host: x\r\nhost: x\r\n",
        "host: x\r\nhost: y\r\n",
        "host: a b\r\n",
        "host: [::1\r\n",
        "host: [x]\r\n",
        "host: [::1]80\r\n",
        "host: a/b\r\n",
        "host: user@a\r\n",
        "host: a:b\r\n",
        "host: a:1:2\r\n",
        "host: http://a\r\n",
        "host: \u{e9}\r\n",
    ];
    for hosts in bad {
        assert_bad_head(&server, &get(hosts)).await;
    }
    let good = ["", "x", "x:80", "127.0.0.1:7001", "[::1]:80", "example.org.", "x:"];
    for host in good {
        let reply = server.ask(&get(&format!("host: {host}\r\n"))).await;
        assert_eq!(reply.code, 200, "{host:?}");
    }
    assert_eq!(server.ask("GET /healthz HTTP/1.0\r\n\r\n").await.code, 200);
    server.end().await;
}

#[tokio::test]
async fn oversized_head_is_rejected_and_disconnected() {
    let (_folder, server) = start().await;
    let long_field = format!("GET /healthz HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(9_000));
    let long_path = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(9_000));
    let fields: String = (0..65).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many_fields = format!("GET /healthz HTTP/1.1\r\n{fields}\r\n");
    let endless = "x".repeat(8_192);
    for bytes in [long_field, long_path, many_fields, endless] {
        assert_rejected_and_closed(&server, bytes.as_bytes(), &[400, 414, 431]).await;
    }
    server.end().await;
}

#[tokio::test]
async fn chunked_body_over_the_limit_is_rejected_before_its_end() {
    let (_folder, server) = start().await;
    let mut wire = server.connect().await;
    let head = "POST /seckill HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    wire.send(head).await;
    let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400));
    wire.send(chunk.repeat(4)).await;
    // One byte over the limit, and the body does not end there.
    wire.send("1\r\n{\r\n").await;
    assert_refused(&wire.reply().await, 413, "body_too_large");
    assert!(wire.is_ended().await);
    assert_eq!(server.app.queue.depth().await, Some(0));
    server.end().await;
}

#[tokio::test]
async fn chunk_over_the_limit_is_rejected_before_it_arrives() {
    let (_folder, server) = start().await;
    for len in ["1001", "ffffffff", "ffffffffffffffff", "00000000000000001001"] {
        for at in [0, 3] {
            let mut wire = server.connect().await;
            let head = "POST /seckill HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
            let bytes = format!("{head}{len}\r\n");
            wire.send(&bytes[..head.len() + at]).await;
            wire.send(&bytes[head.len() + at..]).await;
            assert_refused(&wire.reply().await, 413, "body_too_large");
            assert!(wire.is_ended().await);
        }
    }
    server.end().await;
}

#[tokio::test]
async fn disconnect_during_the_body_has_no_effect() {
    let (_folder, server) = start().await;
    let bytes = purchase("ann", &id(1));
    let mut wire = server.connect().await;
    wire.send(&bytes[..bytes.len() - 1]).await;
    drop(wire);
    assert_refused(&server.get(&format!("/result/{}", id(1))).await, 404, "unknown_request");
    server.end().await;
}

#[tokio::test]
async fn every_closed_connection_frees_its_slot() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(ServePlan { connections_max: 1, ..config(folder.path()) }).await;
    let purchase = purchase("ann", &id(1));
    for bytes in ["", "nonsense\r\n\r\n", "GET /healthz HT", &purchase, &purchase[..60]] {
        let mut wire = server.connect().await;
        wire.send(bytes).await;
        drop(wire);
        assert_eq!(server.get("/healthz").await.code, 200, "after {bytes:?}");
    }
    server.end().await;
}
