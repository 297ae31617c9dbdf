//! The connection to Redis fails in every way it can: the store is refused at once meanwhile, and
//! comes back by itself.

use seckill::flaws::Flaws;
use seckill::lab::Redis;
use seckill::store::{Announced, RedisOptions, Store, StoreError};

use crate::support::front::{Front, Manner};
use crate::support::skip::installed;
use crate::support::{attempt, id, terms, within};

/// What a reconnect may meet, besides a server that works.
const MANNERS: [(&str, Manner); 8] = [
    ("closed connections", Manner::Close),
    ("no answers", Manner::Silent),
    ("half of an answer", Manner::HalfAnswer),
    ("a web server", Manner::Says("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")),
    ("a mail server", Manner::Says("220 mail.example ESMTP\r\n")),
    ("a server that agrees", Manner::Says("+OK\r\n")),
    ("another password", Manner::Says("-NOAUTH Authentication required.\r\n")),
    ("loading", Manner::Says("-LOADING Redis is loading the dataset in memory\r\n")),
];

/// Connections that a fault meets before it is mended.
const RECONNECTS: usize = 3;

/// A store with a sale, and the number of the last attempt.
struct Caller {
    store: Store,
    attempts: usize,
}

impl Caller {
    async fn open(url: &str) -> Self {
        let redis = RedisOptions { url: url.parse().unwrap(), buckets: 1, flaws: Flaws::default() };
        let store = within(Store::connect(&redis)).await.unwrap();
        within(store.open_sale(terms("tea", 9))).await.unwrap();
        Self { store, attempts: 0 }
    }

    /// Writes, with a new request id.
    async fn write(&mut self) -> Result<Announced, StoreError> {
        self.attempts += 1;
        within(self.store.announce(&attempt("ann", "tea", &id(self.attempts)))).await
    }

    /// Writes until the outcome is as wanted.
    async fn until(&mut self, why: &str, wanted: impl Fn(&Result<Announced, StoreError>) -> bool) {
        let writing = async {
            while !wanted(&self.write().await) {
                tokio::task::yield_now().await;
            }
        };
        let limit = tokio::time::timeout(crate::support::HANG, writing).await;
        assert!(limit.is_ok(), "hangs: {why}");
    }

    async fn until_lost(&mut self, why: &str) {
        self.until(&format!("lost by {why}"), Result::is_err).await;
    }

    async fn until_back(&mut self, why: &str) {
        self.until(&format!("back after {why}"), Result::is_ok).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn store_comes_back_whatever_its_reconnects_have_met() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let front = Front::of(redis.url().replace("redis://", "")).await;
    let mut caller = Caller::open(&front.url()).await;
    for (why, manner) in MANNERS {
        front.change(manner);
        caller.until(why, |_| front.connections() >= RECONNECTS).await;
        assert!(caller.write().await.is_err(), "{why}");
        front.change(Manner::Forward);
        caller.until_back(why).await;
    }
}

/// Runs one command on a connection of its own.
fn command(redis: &Redis, words: &str) {
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next().unwrap());
    for word in words {
        command.arg(word);
    }
    let () = command.query(&mut connection).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn store_comes_back_after_the_password_was_another() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let mut admin = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let mut set = |password: &str| {
        let mut set = redis::pipe();
        set.cmd("CONFIG").arg("SET").arg("requirepass").arg(password).ignore();
        set.cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").ignore();
        let () = set.query(&mut admin).unwrap();
    };
    set("right");
    let mut caller = Caller::open(&redis.url().replace("//", "//:right@")).await;
    for other in ["wrong", ""] {
        set(other);
        caller.until_lost("another password").await;
        for _ in 0..RECONNECTS {
            assert!(caller.write().await.is_err());
        }
        set("right");
        caller.until_back("another password").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn store_comes_back_when_its_server_is_the_primary_again() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let mut caller = Caller::open(&redis.url()).await;
    for stale_data in ["yes", "no"] {
        command(&redis, &format!("CONFIG SET replica-serve-stale-data {stale_data}"));
        // Nothing listens on that port: it stays a replica without data from a primary.
        command(&redis, "REPLICAOF 127.0.0.1 1");
        caller.until_lost("being a replica").await;
        command(&redis, "REPLICAOF NO ONE");
        caller.until_back("being a replica").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_store_is_refused_at_once_and_without_effect() {
    /// If each of these waited for an answer, the test would hang.
    const REFUSED: usize = 500;
    if !installed(&["redis-server"]) {
        return;
    }
    let mut redis = Redis::start().unwrap();
    let mut caller = Caller::open(&redis.url()).await;
    for round in 0..2 {
        redis.service_mut().suspend().unwrap();
        assert_eq!(caller.write().await, Err(StoreError::Unknown), "it was sent");
        let first = caller.attempts + 1;
        within(async {
            for _ in 0..REFUSED {
                assert_eq!(caller.write().await, Err(StoreError::Unavailable), "in round {round}");
                assert!(caller.store.unavailable().is_some());
            }
        })
        .await;
        redis.service_mut().resume().unwrap();
        caller.until_back("a suspension").await;
        for number in first..first + REFUSED {
            let known = within(caller.store.known(&id(number).parse().unwrap())).await;
            assert_eq!(known, Ok(None), "no effect");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn store_comes_back_after_its_server_was_killed() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut redis = Redis::start().unwrap();
    let mut caller = Caller::open(&redis.url()).await;
    for _ in 0..2 {
        redis.service_mut().kill().unwrap();
        caller.until_lost("a kill").await;
        assert_eq!(caller.write().await, Err(StoreError::Unavailable));
        redis.service_mut().restart().unwrap();
        caller.until_back("a kill").await;
    }
}
