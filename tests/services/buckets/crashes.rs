//! A process fails between two steps: others go on, and nothing is lost or there twice.

use seckill::store::StoreError;

use super::{
    announce, announce_all, buyers_of, count, decide, everywhere, left, new, prefixes, words,
};
use crate::support::{id, terms, within};

#[tokio::test(flavor = "multi_thread")]
async fn units_on_their_way_arrive_once_though_the_process_has_failed() {
    everywhere(async |place| {
        let (store, other) = (place.open(3).await, place.open(3).await);
        let (mut client, prefixes) = (place.client(), prefixes());
        within(store.open_sale(terms("tea", 3))).await.unwrap();
        let buyers = buyers_of(&store, &mut client, 2, 5).await;
        // The first bucket and the second one have given their units, and the process has failed.
        for (from, to) in [(0, "1"), (1, "2")] {
            let sale = format!("{}sale:1", prefixes[from]);
            let _: i64 = client.ask(&["HINCRBY", &sale, "left", "-1"]);
            let _: i64 = client.ask(&["HINCRBY", &sale, &format!("given:{to}"), "1"]);
        }
        assert_eq!(left(&store).await, (3, 0), "units on their way are left");
        let attempts = announce_all(&store, &buyers, 1).await;
        let (one, two) = attempts.split_at(2);
        let (one, two) = tokio::join!(decide(&store, one, 7), decide(&other, two, 7));
        let decided = [one, two].concat();
        assert_eq!((count(&decided, "won"), count(&decided, "lost sold_out")), (3, 2));
        assert_eq!(left(&store).await, (0, 3));
        let shares = prefixes
            .iter()
            .map(|prefix| client.ask::<i64>(&["HGET", &format!("{prefix}sale:1"), "left"]));
        assert_eq!(shares.collect::<Vec<_>>(), [0; 3]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn call_that_is_dropped_between_two_steps_loses_no_unit() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(terms("tea", 12))).await.unwrap();
        let buyers = buyers_of(&store, &mut client, 1, 14).await;
        let attempts = announce_all(&store, &buyers, 1).await;
        // Each call is dropped a little later than the one before: at any of its steps.
        for (step, attempt) in attempts.iter().enumerate() {
            let one = std::slice::from_ref(attempt);
            let time = std::time::Duration::from_micros(150 * step as u64);
            let _ = tokio::time::timeout(time, store.reserve(one, 7)).await;
        }
        let decided = decide(&store, &attempts, 8).await;
        assert_eq!((count(&decided, "won"), count(&decided, "lost sold_out")), (12, 2));
        assert_eq!(left(&store).await, (0, 12));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_that_was_not_completed_is_completed_by_another_process() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        let prefixes = prefixes();
        within(store.open_sale(terms("tea", 3))).await.unwrap();
        within(store.open_sale(terms("tea", 6))).await.unwrap();
        let buyers = buyers_of(&store, &mut client, 1, 6).await;
        // As it is when a process has failed after the first bucket says that it is open.
        let _: i64 = client.ask(&["HSET", &format!("{}items", prefixes[1]), "tea", "1"]);
        let _: i64 = client.ask(&["HSET", &format!("{}opening", prefixes[0]), "tea", "2"]);
        within(async {
            let current = format!("{}items", prefixes[1]);
            while client.ask::<String>(&["HGET", &current, "tea"]) != "2" {
                tokio::task::yield_now().await;
            }
        })
        .await;
        let mut attempts = Vec::new();
        for (at, buyer) in buyers.iter().enumerate() {
            let new = seckill::sale::NewAttempt { epoch: 2, ..new(buyer, 1 + at) };
            attempts.push(announce(&store, &new).await);
        }
        assert_eq!(count(&decide(&store, &attempts, 7).await, "won"), 6);
        assert_eq!(left(&store).await, (0, 6));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_open_one_sale() {
    const PROCESSES: usize = 8;
    everywhere(async |place| {
        let (store, mut all) = (place.open(3).await, Vec::new());
        for _ in 0..PROCESSES {
            all.push(place.open(3).await);
        }
        let mut opening = tokio::task::JoinSet::new();
        for one in all {
            opening.spawn(async move { within(one.open_or_resume(terms("tea", 7))).await });
        }
        let opened = opening.join_all().await;
        let epochs: Vec<_> = opened.into_iter().map(|sale| sale.unwrap().epoch).collect();
        assert_eq!(epochs, [epochs[0]; PROCESSES]);
        for epoch in 1..=PROCESSES as u64 {
            let has_ledger = within(store.ledger(epoch)).await.is_ok();
            assert_eq!(has_ledger, epoch == epochs[0], "epoch {epoch}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_sale_that_was_never_opened_is_not_seen() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(terms("tea", 3))).await.unwrap();
        for prefix in prefixes() {
            let fields = ["epoch", "2", "terms", "tea 9 1 - -", "left", "3", "orders", "0"];
            let key = format!("{prefix}sale:2");
            let command = [&["HSET", &key, "prepared", "1"][..], &fields].concat();
            let _: i64 = client.ask(&command);
        }
        let _: i64 = client.ask(&["INCR", &format!("{}epochs", prefixes()[0])]);
        assert_eq!(left(&store).await, (3, 0));
        assert_eq!(within(store.ledger(2)).await.err(), Some(StoreError::UnknownItem));
        let next = within(store.open_sale(terms("tea", 5))).await.unwrap();
        assert_eq!((next.epoch, next.left), (3, 5));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn announced_attempt_whose_id_is_not_claimed_is_published_only_if_it_is_free() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        let prefixes = prefixes();
        within(store.open_sale(terms("tea", 3))).await.unwrap();
        let ann = &buyers_of(&store, &mut client, 0, 1).await[0];
        let bob = &buyers_of(&store, &mut client, 1, 1).await[0];
        let (first, second) =
            (announce(&store, &new(ann, 1)).await, announce(&store, &new(bob, 2)).await);
        // As it is when a process has failed after it has announced them, and before it has claimed
        // the ids; the second one has been claimed by ann meanwhile.
        for prefix in &prefixes {
            let _: i64 = client.ask(&["HDEL", &format!("{prefix}ids"), &id(1), &id(2)]);
        }
        let third = announce(&store, &new(ann, 2)).await;
        assert_eq!(within(store.known(&first.request_id)).await, Ok(None));
        let is_tea = |found: Result<Vec<_>, StoreError>| {
            let mut found: Vec<_> = found.unwrap();
            found.retain(|attempt: &std::sync::Arc<seckill::sale::Attempt>| {
                attempt.item.as_str() == "tea"
            });
            found.sort_by_key(|attempt| attempt.request_id);
            found
        };
        let orphans = is_tea(within(store.unconfirmed(u64::MAX >> 1)).await);
        assert_eq!(orphans, [first.clone(), third.clone()]);
        assert_eq!(within(store.waiting(1)).await.unwrap().len(), 2, "{second:?} is gone");
        assert_eq!(words(&decide(&store, &orphans, 7).await), ["won", "lost already_bought"]);
    })
    .await;
}
