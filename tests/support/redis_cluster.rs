//! One Redis Cluster per test program, started when the first test needs it. It has one database,
//! so tests take turns at it.

use std::sync::{Condvar, LazyLock, Mutex, PoisonError};

use seckill::lab::RedisCluster;
use seckill::store::ROUTING_KEY;

static CLUSTER: LazyLock<Mutex<RedisCluster>> =
    LazyLock::new(|| Mutex::new(RedisCluster::start(2).unwrap()));

/// Whether a test has its turn.
static IS_TAKEN: Mutex<bool> = Mutex::new(false);
static FREED: Condvar = Condvar::new();

/// The turn of one test, until dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) url: String,
}

impl Turn {
    /// Waits for the turns of others, and empties the cluster.
    pub(crate) fn take() -> Self {
        let taken = IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = FREED.wait_while(taken, |taken| *taken).unwrap();
        *taken = true;
        drop(taken);
        let turn = Self { url: CLUSTER.lock().unwrap().url() };
        empty(&CLUSTER.lock().unwrap());
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *IS_TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = false;
        FREED.notify_one();
    }
}

/// Removes all data; the replicas have followed when this returns.
fn empty(cluster: &RedisCluster) {
    let node = &cluster.nodes()[cluster.serving(ROUTING_KEY).expect("a node serves the keys")];
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", node.ports()[0])).unwrap();
    let mut connection = client.get_connection().unwrap();
    let replicas = cluster.replicas_of(ROUTING_KEY).len();
    let mut emptying = redis::pipe();
    emptying.cmd("FLUSHALL").ignore().cmd("WAIT").arg(replicas).arg(10_000);
    let (followed,): (usize,) = emptying.query(&mut connection).unwrap();
    assert_eq!(followed, replicas);
}
