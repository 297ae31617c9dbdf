//! Attempts that are looked up and announced in one call of Redis: each gets its own answer.

use seckill::lab::Redis;
use seckill::store::{Known, Lookup, StoreError};
use tokio::task::JoinSet;

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::skip::installed;
use crate::support::{id, terms, within};

/// Attempts that are sent at the same time: more than one call takes.
const AT_ONCE: usize = 600;

/// A server on this Redis, with the items tea and cup, each with this stock.
async fn server(redis: &Redis, stock: u32) -> ManualServer {
    let server = ManualServer::open(Backend::with_redis(redis), stock).await;
    server.open_sale(&terms("cup", stock)).await;
    server
}

/// Looks attempts up at the same time, given by the number of the id and the item.
async fn look_up(
    server: &ManualServer,
    attempts: impl Iterator<Item = (usize, Option<&'static str>)>,
) -> Vec<(usize, Option<&'static str>, Result<Lookup, StoreError>)> {
    let mut asking = JoinSet::new();
    for (number, item) in attempts {
        let app = std::sync::Arc::clone(&server.app);
        asking.spawn(async move {
            let (request_id, buyer) = (id(number).parse().unwrap(), format!("b-{number}"));
            let named = item.map(|item| item.parse().unwrap());
            let buyer = buyer.parse().unwrap();
            let found = app.store.lookup(&request_id, named.as_ref(), &buyer, Some(1)).await;
            (number, item, found)
        });
    }
    within(asking.join_all()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_lookups_is_answered_as_if_it_were_alone() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let server = server(&redis, 9).await;
    // Each id is sent twice, every third one names no item, and every fifth one another sale.
    let item = |number: usize| match number {
        _ if number.is_multiple_of(3) => None,
        _ if number.is_multiple_of(5) => Some("gone"),
        _ => Some("tea"),
    };
    let twice = (0..AT_ONCE).map(|n| n / 2);
    let mut fresh = std::collections::BTreeMap::new();
    for (number, item, found) in look_up(&server, twice.map(|n| (n, item(n)))).await {
        let found = found.unwrap();
        match (item, found.announced, found.known) {
            (None, None, None) => assert_eq!(found.sale, Err(StoreError::ItemRequired)),
            (Some("gone"), None, None) => assert_eq!(found.sale, Err(StoreError::UnknownItem)),
            (Some("tea"), Some(attempt), None) => {
                assert!(fresh.insert(number, attempt).is_none(), "{number} was announced twice");
            }
            (Some("tea"), None, Some(Known::Announced(_))) => {}
            other => panic!("{number}: {other:?}"),
        }
    }
    let wanted: Vec<_> = (0..AT_ONCE / 2).filter(|n| item(*n) == Some("tea")).collect();
    assert_eq!(fresh.keys().copied().collect::<Vec<_>>(), wanted);
    let mut seqs: Vec<_> = fresh.values().map(|attempt| attempt.seq).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=wanted.len() as u64).collect::<Vec<_>>());
    for (number, attempt) in &fresh {
        assert_eq!(attempt.request_id.to_string(), id(*number));
        let known = within(server.app.store.known(&attempt.request_id)).await.unwrap();
        assert_eq!(known, Some(Known::Announced(attempt.clone())));
        // It was sent twice, and the other one may publish it.
        assert_eq!(within(server.app.store.withdraw(attempt)).await, Ok(false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn item_that_cannot_be_written_fails_its_own_attempts_only() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let server = server(&redis, 9).await;
    let url = server.backend.store.clone().unwrap();
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let key = "{seckill}:queued:cup";
    let () = redis::cmd("SET").arg(key).arg("of another program").query(&mut connection).unwrap();
    let both = (0..AT_ONCE).map(|n| (n, Some(if n % 2 == 0 { "tea" } else { "cup" })));
    for (number, item, found) in look_up(&server, both).await {
        match item {
            Some("tea") => assert!(found.unwrap().announced.is_some(), "{number}"),
            _ => assert_eq!(found, Err(StoreError::Unknown), "{number}"),
        }
    }
}
