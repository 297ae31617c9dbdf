//! Purchases that are read in place: what is refused at once, and what is not.

use seckill::profile::ServePlan;

use crate::support::{AttemptStatus, Running, assert_refused, config, id, purchase};

#[tokio::test]
async fn known_id_is_not_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let closed = ServePlan { closes_us: Some(1), ..config(folder.path()) };
    let (server, held) = Running::start_with_one_delivered(closed).await;
    let mut wire = server.connect().await;
    for _ in 0..2 {
        wire.send(purchase("bob", &id(1))).await;
        assert_refused(&wire.reply().await, 403, "closed");
        wire.send(purchase("ann", &id(0))).await;
        let reply = wire.reply().await;
        assert_eq!((reply.code, reply.status_of(&id(0))), (202, AttemptStatus::Queued));
        wire.send(purchase("bob", &id(0))).await;
        assert_refused(&wire.reply().await, 422, "request_id_reused");
    }
    drop(held);
    let won = AttemptStatus::won("tea-1-1");
    let reply = server.get(&format!("/result/{}?wait=30s", id(0))).await;
    assert_eq!(reply.status_of(&id(0)), won);
    wire.send(purchase("ann", &id(0))).await;
    let reply = wire.reply().await;
    assert_eq!((reply.code, reply.status_of(&id(0))), (200, won));
    server.end().await;
    assert!(wire.is_ended().await);
}

#[tokio::test]
async fn faults_are_named_where_all_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(ServePlan { stock: 0, ..config(folder.path()) }).await;
    let mut wire = server.connect().await;
    for (uid, request_id, code, reason) in [
        ("ann", &*id(1), 410, "sold_out"),
        ("no name", &id(1), 400, "bad_uid"),
        ("ann", "7", 400, "bad_request_id"),
        ("ann", &id(1), 410, "sold_out"),
    ] {
        wire.send(purchase(uid, request_id)).await;
        assert_refused(&wire.reply().await, code, reason);
    }
    server.end().await;
}

#[tokio::test]
async fn attempts_of_a_limited_buyer_are_counted_where_all_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let buyer_rate_limit = "1/s".parse().ok();
    let plan = ServePlan { stock: 0, buyer_rate_limit, ..config(folder.path()) };
    let server = Running::start(plan).await;
    let mut wire = server.connect().await;
    let mut refusals = Vec::new();
    for number in 0..4 {
        wire.send(purchase("ann", &id(number))).await;
        refusals.push(wire.reply().await.code);
    }
    assert!(refusals.contains(&410) && refusals.contains(&429), "{refusals:?}");
    server.end().await;
}
