//! Graceful shutdown: open requests are answered, and queued attempts are decided.

use crate::support::{
    AttemptStatus, Running, Setup, Shop, TOKEN, Wire, assert_refused, config, id, is_waiting,
    purchase, within,
};

/// A connection with a pending long poll for the attempt `number`.
async fn waiting_for(server: &Running, number: usize) -> Wire {
    let mut wire = server.connect().await;
    let healthz = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let wait = format!("GET /result/{}?wait=30s HTTP/1.1\r\nhost: x\r\n\r\n", id(number));
    // Both requests arrive together, and one thread runs server and test: when the test reads the
    // first answer, the server has received the second request.
    wire.send([healthz, &wait].concat()).await;
    assert_eq!(wire.reply().await.code, 200);
    wire
}

/// A connection on which the server waits for the body of a purchase, and that body.
async fn sending(server: &Running, uid: &str, number: usize) -> (Wire, String) {
    let mut wire = server.connect().await;
    let bytes = purchase(uid, &id(number));
    let (head, body) = bytes.split_once("\r\n\r\n").unwrap();
    wire.send(format!("{head}\r\nexpect: 100-continue\r\n\r\n")).await;
    assert_eq!(wire.reply().await.code, 100);
    (wire, body.to_owned())
}

#[tokio::test]
async fn shutdown_answers_open_requests_and_decides_queued_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let (server, held) = Running::start_with_one_delivered(config(folder.path())).await;
    for (uid, number) in [("bob", 1), ("ann", 2)] {
        assert_eq!(server.buy(uid, &id(number)).await.code, 202);
    }
    let mut idle = server.connect().await;
    let mut waiting = waiting_for(&server, 1).await;
    let (mut fresh, fresh_body) = sending(&server, "cat", 3).await;
    let (mut retry, retry_body) = sending(&server, "bob", 1).await;
    let app = std::sync::Arc::clone(&server.app);
    let ended = server.stop();
    let released = waiting.reply().await;
    assert_eq!(released.status_of(&id(1)), AttemptStatus::Queued);
    assert_eq!(released.header("connection"), Some("close"), "no further answer follows");
    fresh.send(fresh_body).await;
    assert_refused(&fresh.reply().await, 503, "draining");
    retry.send(retry_body).await;
    assert_eq!(retry.reply().await.status_of(&id(1)), AttemptStatus::Queued, "known");
    for wire in [&mut idle, &mut waiting, &mut fresh, &mut retry] {
        assert!(wire.is_ended().await);
    }
    assert!(!ended.is_finished(), "three attempts are queued");
    drop(held);
    within(ended).await.unwrap().unwrap();
    assert_eq!(app.queue.depth().await, Some(0));
    drop(app);
    let server = Running::start(config(folder.path())).await;
    let status = async |number: usize| {
        server.get(&format!("/result/{}", id(number))).await.status_of(&id(number))
    };
    assert_eq!(status(0).await, AttemptStatus::won("tea-1-1"));
    assert_eq!(status(1).await, AttemptStatus::won("tea-1-2"));
    assert_eq!(status(2).await, AttemptStatus::lost("already_bought"));
    assert_refused(&server.get(&format!("/result/{}", id(3))).await, 404, "unknown_request");
    let ledger = server.ledger(TOKEN).await;
    let mut reader = seckill::sut::LedgerReader::default();
    reader.feed(&ledger.body).unwrap();
    assert_eq!(reader.finish().unwrap().rows.len(), 3);
    server.end().await;
}

#[tokio::test]
async fn shutdown_waits_for_the_last_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (server, held) = Running::start_with_one_delivered(config(folder.path())).await;
    let mut idle = server.connect().await;
    let mut waiting = waiting_for(&server, 0).await;
    let (mut retry, body) = sending(&server, "ann", 0).await;
    let app = std::sync::Arc::clone(&server.app);
    let ended = server.stop();
    assert_eq!(waiting.reply().await.status_of(&id(0)), AttemptStatus::Queued);
    drop(held);
    // This request is the only remaining work, and the server has enough turns to notice.
    assert!(idle.is_ended().await);
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.queue.depth().await, Some(0));
    let mut subscription = app.queue.subscribe(1);
    let mut next = std::pin::pin!(subscription.next(1));
    assert!(is_waiting(next.as_mut()).await, "the queue was closed while a request was in flight");
    retry.send(body).await;
    assert_eq!(retry.reply().await.status_of(&id(0)), AttemptStatus::won("tea-1-1"));
    assert!(within(next).await.is_none(), "the queue is closed now");
    within(ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn shutdown_accepts_no_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let (server, held) = Running::start_with_one_delivered(config(folder.path())).await;
    let address = server.address();
    let mut waiting = waiting_for(&server, 0).await;
    let ended = server.stop();
    assert_eq!(waiting.reply().await.status_of(&id(0)), AttemptStatus::Queued);
    assert!(waiting.is_ended().await);
    drop(held);
    within(ended).await.unwrap().unwrap();
    assert!(within(tokio::net::TcpStream::connect(address)).await.is_err());
}

#[tokio::test]
async fn attempts_accepted_under_load_survive_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(config(folder.path())).await;
    let mut wires = Vec::new();
    for number in 0..30 {
        let mut wire = server.connect().await;
        wire.send(purchase(&format!("buyer-{number}"), &id(number))).await;
        wires.push((number, wire));
    }
    // Once the first is answered, the others are at every stage when the shutdown begins.
    let mut accepted = Vec::new();
    let (first, mut wire) = wires.remove(0);
    assert_eq!(wire.reply().await.code, 202);
    accepted.push(first);
    let ended = server.stop();
    for (number, mut wire) in wires {
        if let Some(reply) = wire.reply_if_any().await {
            assert!([202, 410, 503].contains(&reply.code), "{}", reply.json());
            accepted.extend((reply.code == 202).then_some(number));
        }
    }
    within(ended).await.unwrap().unwrap();
    let shop = Shop::open_in(folder, Setup::stock(0));
    assert_eq!(shop.depth().await, 0);
    for number in accepted {
        let status = shop.result(&id(number)).await.status_of(&id(number));
        assert_ne!(status, AttemptStatus::Queued, "{number}");
    }
}
