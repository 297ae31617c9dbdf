//! HTTP over a socket, as different clients speak it.

use crate::support::{AttemptStatus, Running, TOKEN, assert_refused, config, id, purchase, within};

async fn start() -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(config(folder.path())).await;
    (folder, running)
}

#[tokio::test]
async fn purchase_is_accepted_decided_and_in_the_ledger() {
    let (_folder, server) = start().await;
    let reply = server.buy("ann", &id(1)).await;
    assert_eq!((reply.code, reply.status_of(&id(1))), (202, AttemptStatus::Queued));
    let reply = server.get(&format!("/result/{}?wait=30s", id(1))).await;
    assert_eq!(reply.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    let reply = server.buy("ann", &id(1)).await;
    assert_eq!((reply.code, reply.status_of(&id(1))), (200, AttemptStatus::won("tea-1-1")));
    assert_refused(&server.buy("ann", &id(2)).await, 409, "already_bought");
    assert_refused(&server.ledger("wrong").await, 403, "wrong_token");
    let ledger = server.ledger(TOKEN).await;
    let mut reader = seckill::sut::LedgerReader::default();
    reader.feed(&ledger.body).unwrap();
    assert_eq!(reader.finish().unwrap().rows.len(), 1);
    server.end().await;
}

#[tokio::test]
async fn accepted_attempt_is_never_unknown() {
    let (_folder, server) = start().await;
    let mut wire = server.connect().await;
    for number in 0..10 {
        wire.send(purchase(&format!("buyer-{number}"), &id(number))).await;
        assert_eq!(wire.reply().await.code, 202);
        // It is queued or decided, whatever the consumer is doing at the moment.
        let ask = format!("GET /result/{} HTTP/1.1\r\nhost: x\r\n\r\n", id(number));
        loop {
            wire.send(&ask).await;
            if wire.reply().await.status_of(&id(number)) != AttemptStatus::Queued {
                break;
            }
        }
    }
    server.end().await;
}

#[tokio::test]
async fn connection_serves_requests_one_after_another() {
    let (_folder, server) = start().await;
    let mut wire = server.connect().await;
    for number in 0..20 {
        wire.send(purchase(&format!("buyer-{number}"), &id(number))).await;
        let reply = wire.reply().await;
        assert!(reply.code == 202 || reply.code == 410, "{}", reply.json());
        wire.send("POST /seckill HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{").await;
        assert_refused(&wire.reply().await, 400, "bad_body");
    }
    server.end().await;
    assert!(wire.is_ended().await);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (_folder, server) = start().await;
    let mut wire = server.connect().await;
    let healthz = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let wait = format!("GET /result/{}?wait=30s HTTP/1.1\r\nhost: x\r\n\r\n", id(1));
    let nonsense = "GET /nonsense HTTP/1.1\r\nhost: x\r\n\r\n";
    wire.send([&purchase("ann", &id(1)), &*wait, healthz, nonsense].concat()).await;
    assert_eq!(wire.reply().await.code, 202);
    assert_eq!(wire.reply().await.status_of(&id(1)), AttemptStatus::won("tea-1-1"));
    assert_eq!(wire.reply().await.json()["status"], "ok");
    assert_refused(&wire.reply().await, 404, "no_such_path");
    server.end().await;
}

#[tokio::test]
async fn answer_does_not_wait_for_the_next_request() {
    let (_folder, server) = start().await;
    let mut wire = server.connect().await;
    // The last line of this request has not arrived yet.
    let half = "GET /healthz HTTP/1.1\r\nhost: x\r\n";
    wire.send([&purchase("ann", &id(1)), half].concat()).await;
    assert_eq!(wire.reply().await.code, 202);
    wire.send("\r\n").await;
    assert_eq!(wire.reply().await.code, 200);
    server.end().await;
}

#[tokio::test]
async fn answer_does_not_wait_for_a_later_long_poll() {
    let folder = tempfile::tempdir().unwrap();
    let (server, held) = Running::start_with_one_delivered(config(folder.path())).await;
    let mut wire = server.connect().await;
    let healthz = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let wait = format!("GET /result/{}?wait=30s HTTP/1.1\r\nhost: x\r\n\r\n", id(0));
    wire.send([healthz, &wait, healthz].concat()).await;
    assert_eq!(wire.reply().await.json()["status"], "ok");
    drop(held);
    assert_eq!(wire.reply().await.status_of(&id(0)), AttemptStatus::won("tea-1-1"));
    assert_eq!(wire.reply().await.json()["status"], "ok");
    server.end().await;
}

#[tokio::test]
async fn chunked_body_is_accepted() {
    let (_folder, server) = start().await;
    let mut wire = server.connect().await;
    let head = "POST /seckill HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let body = format!(r#"{{"uid":"ann","request_id":"{}"}}"#, id(1));
    let (a, b) = body.split_at(20);
    wire.send(head).await;
    wire.send(format!("{:x}\r\n{a}\r\n", a.len())).await;
    wire.send(format!("{:x}\r\n{b}\r\n0\r\n\r\n", b.len())).await;
    assert_eq!(wire.reply().await.status_of(&id(1)), AttemptStatus::Queued);
    server.end().await;
}

#[tokio::test]
async fn expect_continue_is_answered_100_or_rejected() {
    let (_folder, server) = start().await;
    let body = format!(r#"{{"uid":"ann","request_id":"{}"}}"#, id(1));
    let head = |kind: &str, len: usize| {
        format!(
            "POST /seckill HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
             content-type: {kind}\r\ncontent-length: {len}\r\n\r\n"
        )
    };
    let mut wire = server.connect().await;
    wire.send(head("application/json", body.len())).await;
    assert_eq!(wire.reply().await.code, 100);
    wire.send(body).await;
    assert_eq!(wire.reply().await.status_of(&id(1)), AttemptStatus::Queued);
    let mut wire = server.connect().await;
    wire.send(head("application/json", 5_000)).await;
    assert_refused(&wire.reply().await, 413, "body_too_large");
    let mut wire = server.connect().await;
    wire.send(head("text/plain", 5)).await;
    assert_refused(&wire.reply().await, 415, "not_json");
    server.end().await;
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let (_folder, server) = start().await;
    let mut wire = server.connect().await;
    wire.send("GET /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!(wire.reply().await.json()["status"], "ok");
    assert!(wire.is_ended().await);
    server.end().await;
}

#[tokio::test]
async fn reqwest_client_works_with_the_server() {
    let (_folder, server) = start().await;
    let client = reqwest::Client::new();
    let url = |path: &str| format!("http://{}{path}", server.address());
    let order = serde_json::json!({"uid": "ann", "request_id": id(1)});
    let reply = within(client.post(url("/seckill")).json(&order).send()).await.unwrap();
    assert_eq!(reply.status(), 202);
    let ledger = client.get(url("/admin/ledger")).bearer_auth(TOKEN);
    let ledger = within(within(ledger.send()).await.unwrap().text()).await.unwrap();
    assert!(ledger.lines().count() == 3 && ledger.contains(&id(1)), "{ledger}");
    let head = within(client.head(url("/result")).send()).await.unwrap();
    assert_eq!(
        (head.status(), head.headers()["content-type"].as_bytes()),
        (reqwest::StatusCode::OK, &b"application/json"[..])
    );
    server.end().await;
}
