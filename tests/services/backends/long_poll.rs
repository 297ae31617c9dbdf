//! Many concurrent long polls, answered by decisions of this process or of another.

use std::pin::pin;
use std::sync::Arc;

use http_body_util::BodyExt;
use seckill::flaws::Flaws;
use seckill::lab;
use seckill::queue::Batch;
use seckill::server::{App, route};
use seckill::store::{Redis, RedisOptions, Store};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::skip::installed;
use crate::support::{AttemptStatus, get, id, is_waiting, post, within};

/// Number of concurrent long polls.
const HELD: usize = 2_000;

/// Attempts decided per batch.
const BATCH: usize = 100;

/// Units on sale: half of the attempts win.
const STOCK: u32 = HELD as u32 / 2;

/// A server whose queue has room for all of these attempts.
async fn open(backend: Backend) -> ManualServer {
    let max = 2 * HELD;
    ManualServer::open_with(backend, |config| {
        config.stock = STOCK;
        config.queue_max = max;
    })
    .await
}

/// Sends `HELD` purchases at once, which must all be accepted: those that are put off, as the
/// machine is busy, come again.
async fn accept_all(server: &ManualServer) {
    let mut buying = JoinSet::new();
    for number in 0..HELD {
        let app = Arc::clone(&server.app);
        buying.spawn(async move {
            let body = format!(r#"{{"uid":"buyer-{number}","request_id":"{}"}}"#, id(number));
            loop {
                let code = route(&app, post(body.clone())).await.status();
                if code != 503 {
                    return code;
                }
            }
        });
    }
    let codes = within(buying.join_all()).await;
    assert!(codes.iter().all(|code| *code == 202), "{codes:?}");
}

/// Starts a long poll for each attempt, and returns the answers.
async fn poll_all(app: &Arc<App>) -> JoinSet<Value> {
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

/// Decides everything in a store, and returns id and decision of each attempt.
async fn decide_all(server: &mut ManualServer, store: Option<&Store>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while all.len() < HELD {
        let batch = server.next(BATCH).await;
        let decided = match store {
            None => server.settle(batch).await,
            Some(store) => settle(store, batch).await,
        };
        let decisions = decided.iter().map(|decided| {
            let decision = decided.decision.to_string();
            (decided.attempt.request_id.to_string(), decision)
        });
        all.extend(decisions);
    }
    all.sort();
    all
}

async fn settle(store: &Store, mut batch: Batch) -> Vec<Arc<seckill::store::Decided>> {
    let reserved = within(store.reserve(batch.attempts(), 1)).await.unwrap();
    batch.release_item();
    let decided = within(store.commit(reserved)).await.unwrap();
    within(batch.ack()).await;
    decided
}

/// The answers to the buyers, in the form of [`decide_all`].
async fn answers(held: JoinSet<Value>) -> Vec<(String, String)> {
    let answers = within(held.join_all()).await;
    let word = |body: &Value, name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let say = |body: Value| {
        let end = word(&body, "order_id") + &word(&body, "reason");
        (word(&body, "request_id"), format!("{} {end}", word(&body, "status")))
    };
    let mut answers: Vec<_> = answers.into_iter().map(say).collect();
    answers.sort();
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_long_polls_each_get_their_own_decision() {
    for backend in Backend::all() {
        let mut server = open(backend).await;
        accept_all(&server).await;
        let held = poll_all(&server.app).await;
        let decided = decide_all(&mut server, None).await;
        let won = decided.iter().filter(|(_, decision)| decision.starts_with("won")).count();
        assert_eq!(won, HELD / 2);
        assert_eq!(answers(held).await, decided, "{:?}", server.backend);
        assert_eq!(server.app.store.awaited(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_poll_registers_before_its_lookup() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut server = ManualServer::open(Backend::new(false, true), 1).await;
    server.accept("ann", &id(1)).await;
    let app = Arc::clone(&server.app);
    let mut held = pin!(route(&app, get(&format!("/result/{}?wait=30s", id(1)))));
    // The lookup is on its way to Redis and back: a decision made meanwhile must not be missed.
    assert!(is_waiting(held.as_mut()).await);
    assert_eq!(app.store.awaited(), 1);
    server.decide(1, 1).await;
    assert_eq!(within(held).await.status(), 200);
}

/// How often a command has run since the server started.
async fn calls(connection: &mut redis::aio::MultiplexedConnection, command: &str) -> usize {
    let mut info = redis::cmd("INFO");
    let stats: String = info.arg("commandstats").query_async(connection).await.unwrap();
    let line = format!("cmdstat_{command}:calls=");
    let calls = stats.lines().find_map(|found| found.strip_prefix(&line)?.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_readiness_requests_is_no_flood_of_checks() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = lab::Redis::start().unwrap();
    let server = open(Backend::with_redis(&redis)).await;
    let client = redis::Client::open(server.backend.store.clone().unwrap()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let before = calls(&mut connection, "ping").await;
    let began = std::time::Instant::now();
    for _ in 0..1_000 {
        assert_eq!(server.get("/readyz").await.code, 200);
    }
    let most = 1 + began.elapsed().as_millis() as usize / 200;
    let checks = calls(&mut connection, "ping").await - before;
    assert!((1..=most).contains(&checks), "{checks} checks");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_of_another_process_arrive_without_one_lookup_each() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = lab::Redis::start().unwrap();
    let mut server = open(Backend::with_redis(&redis)).await;
    accept_all(&server).await;
    let url = server.backend.store.clone().unwrap();
    let options = RedisOptions { url: url.parse().unwrap(), buckets: 1, flaws: Flaws::default() };
    let other = Store::Redis(within(Redis::open(&options)).await.unwrap());
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    // Loads the script of the lookup.
    assert_eq!(server.result(&id(0)).await.status_of(&id(0)), AttemptStatus::Queued);
    let before = calls(&mut connection, "evalsha").await;
    let held = poll_all(&server.app).await;
    let decided = decide_all(&mut server, Some(&other)).await;
    assert_eq!(answers(held).await, decided);
    let scripts = calls(&mut connection, "evalsha").await - before;
    // Each request looks once and each batch is decided; the first batch finds its script not
    // loaded.
    assert!(scripts <= HELD + HELD / BATCH + 1, "{scripts} scripts");
    assert_eq!(server.app.store.awaited(), 0);
}
