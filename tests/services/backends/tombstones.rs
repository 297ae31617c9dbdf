//! Tombstones of withdrawn attempts in Redis are bounded.

use seckill::lab::Redis;
use seckill::store::Announced;

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::skip::installed;
use crate::support::{attempt, id, within};

/// Tombstones that the store keeps for one sale.
const WITHDRAWN_MAX: usize = 100_000;

#[tokio::test(flavor = "multi_thread")]
async fn attempt_beyond_the_bound_of_tombstones_is_not_withdrawn() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let backend = Backend::with_redis(&redis);
    let url = backend.store.clone().unwrap();
    let server = ManualServer::open(backend, 9).await;
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let fill = redis::Script::new(
        "for i = 1, ARGV[1] do redis.call('HSET', '{seckill}:withdrawn:1', 'id-' .. i, 1) end",
    );
    let () = fill.arg(WITHDRAWN_MAX - 1).invoke(&mut connection).unwrap();
    let store = &server.app.store;
    let withdraw = async |number: usize| {
        let announced = within(store.announce(&attempt("ann", "tea", &id(number)))).await;
        let Ok(Announced::Fresh(attempt)) = announced else { panic!("{announced:?}") };
        (within(store.withdraw(&attempt)).await, attempt)
    };
    assert_eq!(withdraw(1).await.0, Ok(true));
    let (withdrawn, second) = withdraw(2).await;
    assert_eq!(withdrawn, Ok(false));
    let reserved = within(store.reserve(&[second], 1)).await.unwrap();
    assert_eq!(within(store.commit(reserved)).await.unwrap().len(), 1, "it is still decided");
    assert_eq!(withdraw(1).await.0, Ok(true), "its tombstone takes no more room");
}
