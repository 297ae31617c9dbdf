//! What is told of a sale waits until no crash can undo it.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use seckill::clock::Clock;
use seckill::journal::{Disk, Durability};
use seckill::server::{App, open_engines};
use seckill::{queue, store};
use serde_json::Value;

use super::disk::SimulatedDisk;
use super::random::Random;
use super::requests::answer;
use crate::support::{app, get, id, is_waiting, post, terms, within};

/// Carries on while the disk does what it was asked for.
async fn with_disk<T>(disk: &SimulatedDisk, work: impl Future<Output = T>) -> T {
    let (mut work, mut random) = (pin!(work), Random::new(1));
    within(async {
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::task::yield_now() => disk.write(&mut random),
            };
        }
    })
    .await
}

async fn buy(app: &App, number: usize) -> (u16, Bytes) {
    let body = serde_json::json!({"uid": "ann", "request_id": id(number)});
    answer(app, post(body.to_string())).await
}

#[tokio::test]
async fn states_and_final_refusals_wait_for_the_disk() {
    let disk = SimulatedDisk::default();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let (queue, store) = (queue::Recovery::new(100), store::Recovery::default());
    let path = Path::new("sale.journal");
    let opened = open_engines(&shared, path, Durability::Fsync, queue, store);
    let (queue, store) = opened.unwrap();
    let app = app(queue, store, Clock::System);
    with_disk(&disk, app.store.open_sale(terms("tea", 9))).await.unwrap();
    assert_eq!(with_disk(&disk, buy(&app, 1)).await.0, 202);
    let batch = app.queue.subscribe(1).next(1).await.unwrap();
    // It is decided, and that is not written.
    drop(app.store.reserve(batch.attempts(), 1).await.unwrap());
    let mut state = pin!(answer(&app, get("/result")));
    let mut refused = pin!(buy(&app, 2));
    assert!(is_waiting(state.as_mut()).await, "a crash would undo the order");
    assert!(is_waiting(refused.as_mut()).await, "a crash would undo the order");
    let (state, refused) = with_disk(&disk, async { tokio::join!(state, refused) }).await;
    let word = |(_, body): (u16, Bytes), key: &str| {
        serde_json::from_slice::<Value>(&body).unwrap()[key].clone()
    };
    assert_eq!(word(state, "orders"), 1);
    assert_eq!(word(refused, "reason"), "already_bought");
}
