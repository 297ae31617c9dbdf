//! What is told of a sale waits until no crash can undo it.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use seckill::clock::Clock;
use seckill::journal::{Disk, Durability};
use seckill::server::{App, Share, consume, open_engines};
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

/// A server with an open sale.
async fn serve(disk: &SimulatedDisk) -> App {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let (queue, store) = (queue::Recovery::new(100), store::Recovery::default());
    let path = Path::new("sale.journal");
    let opened = open_engines(&shared, path, Durability::Fsync, queue, store);
    let (queue, store) = opened.unwrap();
    let app = app(queue, store, Clock::System);
    with_disk(disk, app.store.open_sale(terms("tea", 9))).await.unwrap();
    app
}

async fn buy(app: &App, buyer: &str, item: &str, number: usize) -> (u16, Bytes) {
    let body = serde_json::json!({"uid": buyer, "request_id": id(number), "item": item});
    answer(app, post(body.to_string())).await
}

/// However many attempts one commit accepts, and at however many items, the next one decides them:
/// otherwise those that wait would become more with each commit of a slow disk.
#[tokio::test]
async fn what_one_commit_accepts_the_next_one_decides() {
    let (disk, mut random) = (SimulatedDisk::default(), Random::new(1));
    let app = Arc::new(serve(&disk).await);
    let (attempts, prefetch) = (95, 5);
    // Some are at the same item, and the others at one each.
    let item_of = |number| if number < 25 { "tea".to_owned() } else { format!("item-{number}") };
    for number in 25..attempts {
        with_disk(&disk, app.store.open_sale(terms(&item_of(number), 9))).await.unwrap();
    }
    let mut buying = tokio::task::JoinSet::new();
    for number in 0..attempts {
        let item = item_of(number);
        let app = Arc::clone(&app);
        buying.spawn(async move { buy(&app, &format!("buyer-{number}"), &item, number).await.0 });
    }
    let depth = async || app.queue.depth().await.unwrap();
    let has_depth = async |wanted| {
        while depth().await != wanted {
            tokio::task::yield_now().await;
        }
    };
    within(has_depth(attempts)).await;
    assert!(disk.write(&mut random), "the attempts are written");
    assert_eq!(within(buying.join_all()).await, [202; 95]);

    let share = Share::of(&app.queue, 1);
    let consumer = tokio::spawn(consume(Arc::clone(&app), prefetch, share));
    // More often than it has something to do.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(depth().await, attempts, "nothing is decided before it is written");
    assert!(disk.write(&mut random), "the decisions are written");
    within(has_depth(0)).await;
    consumer.abort();
}

#[tokio::test]
async fn states_and_final_refusals_wait_for_the_disk() {
    let disk = SimulatedDisk::default();
    let app = serve(&disk).await;
    assert_eq!(with_disk(&disk, buy(&app, "ann", "tea", 1)).await.0, 202);
    let batch = app.queue.subscribe(1).next(1).await.unwrap();
    // It is decided, and that is not written.
    drop(app.store.reserve(batch.attempts(), 1).await.unwrap());
    let mut state = pin!(answer(&app, get("/result")));
    let mut refused = pin!(buy(&app, "ann", "tea", 2));
    assert!(is_waiting(state.as_mut()).await, "a crash would undo the order");
    assert!(is_waiting(refused.as_mut()).await, "a crash would undo the order");
    let (state, refused) = with_disk(&disk, async { tokio::join!(state, refused) }).await;
    let word = |(_, body): (u16, Bytes), key: &str| {
        serde_json::from_slice::<Value>(&body).unwrap()[key].clone()
    };
    assert_eq!(word(state, "orders"), 1);
    assert_eq!(word(refused, "reason"), "already_bought");
}
