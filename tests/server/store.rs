//! The store: stock decreases once per attempt, however often the attempt is delivered.

use std::sync::Arc;

use seckill::flaws::Flaws;
use seckill::journal::Durability;
use seckill::sale::{Attempt, NewAttempt, Terms};
use seckill::store::{Announced, RedisOptions, Store, StoreError};
use tempfile::TempDir;

use crate::support::backend::Backend;
use crate::support::{self, JOURNAL, Setup, Shop, id, terms, within};

/// A kind of store, and where its data is kept.
pub(crate) struct Place {
    /// The server, if it is not the embedded store.
    pub(crate) redis: Option<RedisOptions>,
    folder: TempDir,
}

impl Place {
    /// Opens the store, or opens it again.
    pub(crate) async fn open(&self) -> Store {
        match &self.redis {
            None => support::open_store(&self.folder.path().join(JOURNAL), Durability::Os).unwrap(),
            Some(redis) => within(Store::connect(redis)).await.unwrap(),
        }
    }
}

/// Runs a test on every store that can run here, each of them empty.
pub(crate) async fn every_store(test: impl AsyncFn(Place)) {
    for backend in Backend::stores() {
        let redis = backend.store.as_ref().map(|url| RedisOptions {
            url: url.parse().unwrap(),
            buckets: backend.buckets,
            flaws: Flaws::default(),
        });
        test(Place { redis, folder: tempfile::tempdir().unwrap() }).await;
    }
}

async fn announce(store: &Store, new: &NewAttempt) -> Arc<Attempt> {
    match within(store.announce(new)).await.unwrap() {
        Announced::Fresh(attempt) => attempt,
        Announced::Known(known) => panic!("it is known: {known:?}"),
    }
}

/// Decides one attempt, and returns the buyer and the decision of each that was decided. An order
/// is named by its sale: its number depends on the buckets.
async fn decide_one(store: &Store, attempt: &Arc<Attempt>) -> Vec<String> {
    let reserved = within(store.reserve(std::slice::from_ref(attempt), 7)).await.unwrap();
    let decided = within(store.commit(reserved)).await.unwrap();
    let text = |one: &Arc<_>| -> String {
        let seckill::store::Decided { attempt, decision, .. } = &**one;
        let text = format!("{} {decision}", attempt.buyer);
        text.rsplit_once('-').map_or(text.clone(), |(sale, _)| sale.to_owned())
    };
    decided.iter().map(text).collect()
}

fn attempt(buyer: &str, number: usize) -> Arc<Attempt> {
    Arc::new(Attempt {
        request_id: id(number).parse().unwrap(),
        buyer: buyer.parse().unwrap(),
        item: "tea".parse().unwrap(),
        epoch: 1,
        seq: number as u64,
        accepted_us: 1,
    })
}

/// Decides attempts, and returns the decisions as text.
async fn decide(shop: &Shop, attempts: &[Arc<Attempt>], now_us: u64) -> Vec<String> {
    let reserved = within(shop.app.store.reserve(attempts, now_us)).await.unwrap();
    let decided = within(shop.app.store.commit(reserved)).await.unwrap();
    decided.iter().map(|decided| decided.decision.to_string()).collect()
}

async fn left(shop: &Shop) -> (i64, u64) {
    let sale = shop.sale().await;
    (sale.left, sale.orders)
}

#[tokio::test]
async fn redelivered_attempt_keeps_its_decision() {
    let shop = Shop::with_stock(2).await;
    let (ann, bob, cat) = (attempt("ann", 1), attempt("bob", 2), attempt("cat", 3));
    let twice = [Arc::clone(&ann), Arc::clone(&ann)];
    assert_eq!(decide(&shop, &twice, 5).await, ["won tea-1-1", "won tea-1-1"], "in one batch");
    assert_eq!(left(&shop).await, (1, 1));
    let all = [bob, cat, Arc::clone(&ann)];
    let expected = ["won tea-1-2", "lost sold_out", "won tea-1-1"];
    for now_us in [6, 7, 8] {
        assert_eq!(decide(&shop, &all, now_us).await, expected);
        assert_eq!(left(&shop).await, (0, 2));
    }
    let decided = shop.decided(&ann.request_id.to_string()).await.unwrap();
    assert_eq!(decided.decided_us, 5, "it was decided only once");
}

#[tokio::test]
async fn lost_attempt_stays_lost_after_restocking() {
    let shop = Shop::with_stock(0).await;
    let ann = attempt("ann", 1);
    assert_eq!(decide(&shop, &[Arc::clone(&ann)], 1).await, ["lost sold_out"]);
    within(shop.app.store.open_sale(terms("tea", 9))).await.unwrap();
    assert_eq!(decide(&shop, &[ann], 2).await, ["lost sold_out"]);
    assert_eq!(left(&shop).await, (9, 0));
}

#[tokio::test]
async fn unit_refused_by_the_buyer_limit_goes_to_the_next_buyer() {
    let sale = Terms { per_buyer: 2, ..terms("tea", 3) };
    let shop = Shop::open(Setup { sale: Some(sale), ..Setup::stock(0) }).await;
    let attempts = [1, 2, 3].map(|number| attempt("ann", number));
    let expected = ["won tea-1-1", "won tea-1-2", "lost already_bought"];
    assert_eq!(decide(&shop, &attempts, 1).await, expected);
    let others = [attempt("bob", 4), attempt("cat", 5)];
    assert_eq!(decide(&shop, &others, 1).await, ["won tea-1-3", "lost sold_out"]);
}

#[tokio::test]
async fn attempt_without_a_sale_loses() {
    let shop = Shop::open(Setup { sale: None, ..Setup::stock(0) }).await;
    assert_eq!(decide(&shop, &[attempt("ann", 1)], 1).await, ["lost sale_replaced"]);
    within(shop.app.store.open_sale(terms("tea", 1))).await.unwrap();
    assert_eq!(decide(&shop, &[attempt("ann", 1)], 1).await, ["lost sale_replaced"]);
}

#[tokio::test]
async fn closed_store_decides_nothing() {
    let shop = Shop::with_stock(1).await;
    shop.app.store.close().unwrap();
    let refused = within(shop.app.store.reserve(&[attempt("ann", 1)], 1)).await;
    assert_eq!(refused.unwrap_err(), StoreError::Unavailable);
    assert_eq!(left(&shop).await, (1, 0), "no effect");
    let refused = within(shop.app.store.open_sale(terms("tea", 9))).await;
    assert_eq!(refused, Err(StoreError::Unavailable));
    assert_eq!(left(&shop).await, (1, 0), "no effect");
}

#[tokio::test]
async fn withdrawn_attempt_is_not_decided_until_it_is_announced_again() {
    every_store(async |place| {
        let store = place.open().await;
        within(store.open_sale(terms("tea", 2))).await.unwrap();
        let new = |buyer| support::attempt(buyer, "tea", &id(1));
        let left = async |store: &Store| within(store.sale(None)).await.unwrap().left;
        let first = announce(&store, &new("ann")).await;
        assert_eq!(within(store.withdraw(&first)).await, Ok(true));
        assert_eq!(decide_one(&store, &first).await, [""; 0], "its message was left in the queue");
        drop(store);
        let store = place.open().await;
        assert_eq!(decide_one(&store, &first).await, [""; 0], "after a restart");
        let undeliverable = within(store.lose_undeliverable(&[Arc::clone(&first)], 7)).await;
        assert_eq!(within(store.commit(undeliverable.unwrap())).await, Ok(Vec::new()));
        assert_eq!(within(store.known(&first.request_id)).await, Ok(None));
        assert_eq!(left(&store).await, 2);
        // The id had no effect, so another buyer may use it. The first message is still ann's.
        let second = announce(&store, &new("bob")).await;
        assert_eq!(decide_one(&store, &first).await, [""; 0]);
        assert_eq!(decide_one(&store, &second).await, ["bob won tea-1"]);
        // The bucket of ann does not know the decision.
        let again = decide_one(&store, &first).await;
        assert!(again.is_empty() || again == ["bob won tea-1"], "{again:?}");
        assert_eq!(left(&store).await, 1);
    })
    .await;
}

#[tokio::test]
async fn attempt_withdrawn_from_a_replaced_sale_stays_undecided() {
    every_store(async |place| {
        let store = place.open().await;
        within(store.open_sale(terms("tea", 2))).await.unwrap();
        let first = announce(&store, &support::attempt("ann", "tea", &id(1))).await;
        assert_eq!(within(store.withdraw(&first)).await, Ok(true));
        within(store.open_sale(terms("tea", 2))).await.unwrap();
        assert_eq!(decide_one(&store, &first).await, [""; 0]);
        let new = NewAttempt { epoch: 2, ..support::attempt("ann", "tea", &id(1)) };
        let second = announce(&store, &new).await;
        assert_eq!(decide_one(&store, &first).await, [""; 0]);
        assert_eq!(decide_one(&store, &second).await, ["ann won tea-2"]);
    })
    .await;
}
