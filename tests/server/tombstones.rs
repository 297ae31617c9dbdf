//! Tombstones of withdrawn attempts in the embedded store survive a crash at any moment.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use seckill::journal::Durability;
use seckill::sale::Attempt;
use seckill::store::{Announced, Known, Store};

use crate::support::{self, JOURNAL, id, terms, within};

fn open(folder: &Path) -> Store {
    support::open_store(&folder.join(JOURNAL), Durability::Os).unwrap()
}

async fn announce(store: &Store, buyer: &str) -> Arc<Attempt> {
    let new = support::attempt(buyer, "tea", &id(1));
    let announced = within(store.announce(&new)).await.unwrap();
    let Announced::Fresh(attempt) = announced else { panic!("{announced:?}") };
    attempt
}

/// Decides one attempt, and returns the buyer of each that was decided.
async fn decide(store: &Store, attempt: &Arc<Attempt>) -> Vec<String> {
    let reserved = within(store.reserve(std::slice::from_ref(attempt), 7)).await.unwrap();
    let decided = within(store.commit(reserved)).await.unwrap();
    decided.iter().map(|decided| decided.attempt.buyer.to_string()).collect()
}

/// The place after a journal's last byte.
fn end(folder: &Path) -> usize {
    fs::read(folder.join(JOURNAL)).unwrap().len()
}

#[tokio::test]
async fn withdrawn_attempt_is_not_decided_after_a_crash_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    within(store.open_sale(terms("tea", 2))).await.unwrap();
    let opened = end(folder.path());
    let bob = announce(&store, "bob").await;
    let announced = end(folder.path());
    assert_eq!(within(store.withdraw(&bob)).await, Ok(true));
    let withdrawn = end(folder.path());
    let cat = announce(&store, "cat").await;
    drop(store);
    let bytes = fs::read(folder.path().join(JOURNAL)).unwrap();
    let edges = [announced, withdrawn, bytes.len()];
    let near = edges.into_iter().flat_map(|end| [end - 1, end, (end + 1).min(bytes.len())]);
    for len in (opened..bytes.len()).step_by(9).chain(near) {
        let crashed = tempfile::tempdir().unwrap();
        fs::write(crashed.path().join(JOURNAL), &bytes[..len]).unwrap();
        let store = open(crashed.path());
        let known = within(store.known(&bob.request_id)).await.unwrap();
        let buyer = known.as_ref().map(|known| known.attempt().buyer.as_str());
        // Until the withdrawal is on the disk, nobody was told that there is no effect.
        let expected = match len {
            _ if len < announced => None,
            _ if len < withdrawn => Some("bob"),
            _ if len < bytes.len() => None,
            _ => Some("cat"),
        };
        assert_eq!(buyer, expected, "{len} bytes");
        assert!(known.is_none_or(|known| matches!(known, Known::Announced(_))));
        if len >= withdrawn {
            assert_eq!(decide(&store, &bob).await, [""; 0], "{len} bytes");
            assert_eq!(decide(&store, &cat).await, ["cat"], "the same id is another attempt");
            assert_eq!(decide(&store, &bob).await, ["cat"]);
        } else {
            assert_eq!(decide(&store, &bob).await, ["bob"], "{len} bytes");
        }
        let orders = within(store.sale(None)).await.unwrap().orders;
        assert_eq!(orders, 1);
    }
}
