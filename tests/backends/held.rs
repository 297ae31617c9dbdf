//! Many requests that are held until their decisions are made, by this process or another.

use std::pin::pin;
use std::sync::Arc;

use http_body_util::BodyExt;
use seckill::flaws::Flaws;
use seckill::lab;
use seckill::queue::Batch;
use seckill::server::{App, QueueAt, route};
use seckill::store::{Redis, RedisOptions, Store};
use serde_json::Value;
use tokio::task::JoinSet;

use super::support::counter::Counter;
use super::support::engines::{Place, installed};
use super::support::{Told, get, id, is_waiting, post, terms, within};

/// Requests that are held at a time.
const HELD: usize = 2_000;

/// Attempts that are decided at a time.
const BATCH: usize = 100;

/// Units on sale: every other of the attempts wins.
const STOCK: u32 = HELD as u32 / 2;

/// A sale at which so many attempts may wait.
async fn open(place: Place) -> Counter {
    let max = 2 * HELD;
    Counter::open_with(place, |config| {
        config.sale = terms("tea", STOCK);
        config.queue_max = max;
        if let QueueAt::RabbitMq(options) = &mut config.queue {
            options.max = max;
        }
    })
    .await
}

/// Has `HELD` attempts accepted, all at once.
async fn accept_all(counter: &Counter) {
    let mut buying = JoinSet::new();
    for number in 0..HELD {
        let app = Arc::clone(&counter.app);
        buying.spawn(async move {
            let body = format!(r#"{{"uid":"buyer-{number}","request_id":"{}"}}"#, id(number));
            route(&app, post(body)).await.status()
        });
    }
    let codes = within(buying.join_all()).await;
    assert!(codes.iter().all(|code| *code == 202), "{codes:?}");
}

/// Asks for the result of each, and has every request held: gives the answers.
async fn hold_all(app: &Arc<App>) -> JoinSet<Value> {
    let mut held = JoinSet::new();
    for number in 0..HELD {
        let app = Arc::clone(app);
        held.spawn(async move {
            let response = within(route(&app, get(&format!("/result/{}?wait=30s", id(number)))));
            let body = response.await.into_body().collect().await.unwrap().to_bytes();
            serde_json::from_slice(&body).unwrap()
        });
    }
    within(async {
        while app.store.awaited() < HELD {
            tokio::task::yield_now().await;
        }
    })
    .await;
    held
}

/// Has everything decided by a store, and gives what became of each: its id, and how it went.
async fn decide_all(counter: &mut Counter, store: Option<&Store>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while all.len() < HELD {
        let batch = counter.next(BATCH).await;
        let decided = match store {
            None => counter.settle(batch).await,
            Some(store) => settle(store, batch).await,
        };
        let said = decided.iter().map(|decided| {
            let decision = decided.decision.to_string();
            (decided.attempt.request_id.to_string(), decision)
        });
        all.extend(said);
    }
    all.sort();
    all
}

async fn settle(store: &Store, mut batch: Batch) -> Vec<Arc<seckill::store::Decided>> {
    let reserved = within(store.reserve(batch.attempts(), 1)).await.unwrap();
    batch.ordered();
    let decided = within(store.commit(reserved)).await.unwrap();
    within(batch.ack()).await;
    decided
}

/// What the buyers were told, as [`decide_all`] says it.
async fn told(held: JoinSet<Value>) -> Vec<(String, String)> {
    let told = within(held.join_all()).await;
    let word = |body: &Value, name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let say = |body: Value| {
        let end = word(&body, "order_id") + &word(&body, "reason");
        (word(&body, "request_id"), format!("{} {end}", word(&body, "status")))
    };
    let mut told: Vec<_> = told.into_iter().map(say).collect();
    told.sort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_is_told_its_own_decision() {
    for place in Place::all() {
        let mut counter = open(place).await;
        accept_all(&counter).await;
        let held = hold_all(&counter.app).await;
        let decided = decide_all(&mut counter, None).await;
        let won = decided.iter().filter(|(_, decision)| decision.starts_with("won")).count();
        assert_eq!(won, HELD / 2);
        assert_eq!(told(held).await, decided, "{:?}", counter.place);
        assert_eq!(counter.app.store.awaited(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_waits_from_before_the_look() {
    if !installed("redis-server") {
        return;
    }
    let mut counter = Counter::open(Place::new(false, true), 1).await;
    counter.accept("ann", &id(1)).await;
    let app = Arc::clone(&counter.app);
    let mut held = pin!(route(&app, get(&format!("/result/{}?wait=30s", id(1)))));
    // The look is under way to the server and back: what is decided meanwhile must be told.
    assert!(is_waiting(held.as_mut()).await);
    assert_eq!(app.store.awaited(), 1);
    counter.decide(1, 1).await;
    assert_eq!(within(held).await.status(), 200);
}

/// How often a command was run since the server has started.
async fn calls(connection: &mut redis::aio::MultiplexedConnection, command: &str) -> usize {
    let mut info = redis::cmd("INFO");
    let stats: String = info.arg("commandstats").query_async(connection).await.unwrap();
    let line = format!("cmdstat_{command}:calls=");
    let calls = stats.lines().find_map(|found| found.strip_prefix(&line)?.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_decides_is_told_without_a_look_of_each() {
    if !installed("redis-server") {
        return;
    }
    let server = lab::Redis::start().unwrap();
    let mut counter = open(Place::with_redis(&server)).await;
    accept_all(&counter).await;
    let url = counter.place.store.clone().unwrap();
    let options = RedisOptions { url: url.parse().unwrap(), flaws: Flaws::default() };
    let other = Store::Redis(within(Redis::open(&options)).await.unwrap());
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    // Loads the script that looks.
    assert_eq!(counter.result(&id(0)).await.told(&id(0)), Told::Queued);
    let before = calls(&mut connection, "evalsha").await;
    let held = hold_all(&counter.app).await;
    let decided = decide_all(&mut counter, Some(&other)).await;
    assert_eq!(told(held).await, decided);
    let scripts = calls(&mut connection, "evalsha").await - before;
    // Each request looks once, and each batch is decided; the first finds no script to do it.
    assert!(scripts <= HELD + HELD / BATCH + 1, "{scripts} scripts");
    assert_eq!(counter.app.store.awaited(), 0);
}
