//! A request id belongs to one attempt, whichever buckets the buyers that use it are in.

use seckill::store::{Announced, Known, StoreError};

use super::{announce, buyers_of, decide, everywhere, look_up, new, prefixes, words};
use crate::support::{id, terms, within};

/// Whether the id of `attempt` is refused to this buyer.
async fn is_reused(store: &seckill::store::Store, buyer: &str, number: usize) -> bool {
    match within(store.announce(&new(buyer, number))).await {
        Ok(Announced::Known(known)) => known.attempt().buyer.as_str() != buyer,
        Err(StoreError::Reused) => true,
        answer => panic!("{answer:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn id_of_one_buyer_is_refused_to_others() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(terms("tea", 2))).await.unwrap();
        let ann = &buyers_of(&store, &mut client, 0, 1).await[0];
        let bob = &buyers_of(&store, &mut client, 1, 1).await[0];
        let first = announce(&store, &new(ann, 1)).await;
        assert!(is_reused(&store, bob, 1).await);
        assert_eq!(within(store.waiting(1)).await.unwrap().len(), 1, "bob's is in no register");
        let known = within(store.known(&first.request_id)).await.unwrap().unwrap();
        assert_eq!(known, Known::Announced(first.clone()));
        let decided = decide(&store, std::slice::from_ref(&first), 7).await;
        assert_eq!(words(&decided), ["won"]);
        assert!(is_reused(&store, bob, 1).await);
        let known = look_up(&store, bob, 1, Some(9)).await.known.unwrap();
        assert_eq!(known.attempt().buyer, first.buyer);
        assert_eq!(within(store.known(&id(2).parse().unwrap())).await, Ok(None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn id_of_an_attempt_that_was_withdrawn_is_free() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(terms("tea", 2))).await.unwrap();
        let ann = &buyers_of(&store, &mut client, 0, 1).await[0];
        let bob = &buyers_of(&store, &mut client, 2, 1).await[0];
        let first = announce(&store, &new(ann, 1)).await;
        assert_eq!(within(store.withdraw(&first)).await, Ok(true));
        assert_eq!(within(store.known(&first.request_id)).await, Ok(None));
        let second = announce(&store, &new(bob, 1)).await;
        assert_eq!(client.owner(&prefixes(), &id(1)), Some(2));
        assert!(is_reused(&store, ann, 1).await, "now it is bob's");
        assert_eq!(words(&decide(&store, &[first], 7).await), [""; 0]);
        assert_eq!(words(&decide(&store, &[second], 7).await), ["won"]);
        assert!(is_reused(&store, ann, 1).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_of_a_queue_with_lookup_claim_their_ids_when_they_are_decided() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(terms("tea", 5))).await.unwrap();
        let ann = &buyers_of(&store, &mut client, 0, 1).await[0];
        let bob = &buyers_of(&store, &mut client, 1, 1).await[0];
        let queued =
            |buyer: &str, number| std::sync::Arc::new(new(buyer, number).at(number as u64));
        let all = [queued(ann, 1), queued(bob, 2), queued(ann, 1)];
        let decided = decide(&store, &all, 7).await;
        assert_eq!(words(&decided), ["won", "won", "won"]);
        assert_eq!(decided[0], decided[2]);
        let known = within(store.known(&all[1].request_id)).await.unwrap();
        assert!(matches!(known, Some(Known::Decided(found)) if found == decided[1]));
        // The other buyer's attempt gets the decision on the first one, and no order.
        assert_eq!(decide(&store, &[queued(bob, 1)], 8).await, [decided[0].clone()]);
        assert!(is_reused(&store, bob, 1).await);
        assert!(look_up(&store, bob, 1, None).await.known.is_some());
    })
    .await;
}

/// Claims stay when the queue of a store is changed.
#[tokio::test(flavor = "multi_thread")]
async fn id_that_was_withdrawn_from_a_broker_is_free_for_a_queue_with_lookup() {
    everywhere(async |place| {
        let (store, mut client) = (place.open(3).await, place.client());
        within(store.open_sale(terms("tea", 2))).await.unwrap();
        let ann = &buyers_of(&store, &mut client, 0, 1).await[0];
        let bob = &buyers_of(&store, &mut client, 1, 1).await[0];
        let first = announce(&store, &new(ann, 1)).await;
        assert_eq!(within(store.withdraw(&first)).await, Ok(true));
        let queued = std::sync::Arc::new(new(bob, 1).at(1));
        assert_eq!(words(&decide(&store, &[queued], 7).await), ["won"]);
        assert!(is_reused(&store, ann, 1).await, "now it is bob's");
    })
    .await;
}
