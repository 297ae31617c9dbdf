//! Many items in one Redis: what a request costs does not depend on them, and an id belongs to one.

use std::collections::BTreeMap;

use seckill::lab::Redis;
use seckill::store::Announced;
use serde_json::json;
use tokio::task::JoinSet;

use super::everywhere;
use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::skip::installed;
use crate::support::{attempt, id, post, terms, within};

/// Items that were ever on sale.
const ITEMS: usize = 10_000;

/// Sales opened at a time.
const OPENING: usize = 500;

/// Commands that this test sends itself, or that the store sends from time to time.
const NOT_COUNTED: [&str; 3] = ["ping", "info", "config|resetstat"];

/// Counts the commands that a Redis has run, those of scripts included.
struct Counter(redis::Connection);

impl Counter {
    fn of(redis: &Redis) -> Self {
        Self(redis::Client::open(redis.url()).unwrap().get_connection().unwrap())
    }

    /// Runs a future, and returns the commands that it has caused.
    async fn count(&mut self, cause: impl Future) -> BTreeMap<String, u64> {
        let () = redis::cmd("CONFIG").arg("RESETSTAT").query(&mut self.0).unwrap();
        within(cause).await;
        let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut self.0).unwrap();
        let lines = stats.lines().filter_map(|line| line.strip_prefix("cmdstat_"));
        let counts = lines.map(|line| {
            let (name, calls) = line.split_once(":calls=").unwrap();
            (name.to_owned(), calls.split(',').next().unwrap().parse().unwrap())
        });
        counts.filter(|(name, _)| !NOT_COUNTED.contains(&name.as_str())).collect()
    }
}

/// The commands of each step, for an attempt with this number.
async fn costs(
    counter: &mut Counter,
    server: &mut ManualServer,
    number: usize,
) -> Vec<(&'static str, BTreeMap<String, u64>)> {
    let (uid, request_id) = (format!("buyer-{number}"), id(number));
    let mut costs = Vec::new();
    costs.push(("purchase", counter.count(server.accept(&uid, &request_id)).await));
    costs.push(("result", counter.count(server.result(&request_id)).await));
    costs.push(("unknown result", counter.count(server.result(&id(999_999))).await));
    costs.push(("sale", counter.count(server.sale()).await));
    costs.push(("decision", counter.count(server.decide(1, 1)).await));
    costs.push(("decided result", counter.count(server.result(&request_id)).await));
    // What a queue without lookup needs.
    let store = &server.app.store;
    let mut new = attempt(&uid, "tea", &id(number + 1));
    new.buyer = format!("buyer-{number}-again").parse().unwrap();
    let lookup = store.lookup(&new.request_id, Some(&new.item), &new.buyer, Some(1));
    costs.push(("lookup that may announce", counter.count(lookup).await));
    costs.push(("announcement", counter.count(store.announce(&new)).await));
    let announced = store.known(&new.request_id).await.unwrap().unwrap();
    let all = std::slice::from_ref(announced.attempt());
    costs.push(("confirmation", counter.count(store.confirm(all)).await));
    costs.push(("reservation", counter.count(store.reserve(all, 1)).await));
    new.request_id = id(number + 2).parse().unwrap();
    let Ok(Announced::Fresh(attempt)) = store.announce(&new).await else { panic!("not fresh") };
    costs.push(("withdrawal", counter.count(store.withdraw(&attempt)).await));
    costs.push(("orphans", counter.count(store.unconfirmed(1)).await));
    costs
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_cost_the_same_commands_with_one_item_and_with_many() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let mut counter = Counter::of(&redis);
    let mut server = ManualServer::open(Backend::with_redis(&redis), 99).await;
    // Loads the scripts.
    costs(&mut counter, &mut server, 10).await;
    let before = costs(&mut counter, &mut server, 20).await;
    for first in (0..ITEMS).step_by(OPENING) {
        let mut opening = JoinSet::new();
        for number in first..first + OPENING {
            let app = std::sync::Arc::clone(&server.app);
            opening.spawn(async move {
                app.store.open_sale(terms(&format!("item-{number}"), 1)).await.unwrap();
            });
        }
        opening.join_all().await;
    }
    assert_eq!(costs(&mut counter, &mut server, 30).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn id_sent_at_once_for_two_items_is_accepted_for_one() {
    const ROUNDS: usize = 200;
    everywhere(u32::try_from(2 * ROUNDS).unwrap(), async |mut server| {
        server.open_sale(&terms("cup", u32::try_from(2 * ROUNDS).unwrap())).await;
        for round in 0..ROUNDS {
            let mut buying = JoinSet::new();
            for item in ["tea", "cup"] {
                let app = std::sync::Arc::clone(&server.app);
                let body =
                    json!({"uid": format!("b-{round}"), "request_id": id(round), "item": item});
                buying.spawn(async move {
                    seckill::server::route(&app, post(body.to_string())).await.status().as_u16()
                });
            }
            let mut codes = within(buying.join_all()).await;
            codes.sort_unstable();
            assert_eq!(codes, [202, 422], "in round {round} on {:?}", server.backend);
            let decided = server.decide(1, 2).await;
            assert_eq!(decided.len(), 1);
        }
        let orders = async |item: &str| {
            let path = format!("/result?item={item}");
            server.get(&path).await.json()["orders"].as_u64().unwrap()
        };
        assert_eq!(orders("tea").await + orders("cup").await, ROUNDS as u64);
    })
    .await;
}
