//! Real services for tests: one Redis, one Redis Cluster and one RabbitMQ per test program, started
//! when the first test needs them and stopped with the process.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use seckill::flaws::Flaws;
use seckill::lab::{RabbitMq, RabbitMqCluster, RabbitMqOptions, Redis, RedisCluster};
use seckill::profile::{BrokerPlan, ServePlan};
use seckill::settings::QueueType;

use super::config;
use super::redis_cluster::Turn;
use super::skip::{installed, missing_for_variants};

static REDIS: LazyLock<Mutex<Redis>> = LazyLock::new(|| Mutex::new(Redis::start().unwrap()));
static RABBITMQ: LazyLock<Mutex<RabbitMq>> =
    LazyLock::new(|| Mutex::new(RabbitMq::start(RabbitMqOptions::default()).unwrap()));

/// Numbers the queues and databases, so that no two tests share one.
static BACKENDS: AtomicUsize = AtomicUsize::new(0);

/// The buckets of a store that has several.
const BUCKETS: usize = 4;

/// A queue and a store for one test.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) queue: Option<String>,
    pub(crate) store: Option<String>,
    name: String,
    queue_type: QueueType,
    /// Over how many buckets the stock is spread.
    pub(crate) buckets: usize,
    /// At the Redis Cluster, if the store is in it.
    _turn: Option<Arc<Turn>>,
}

impl Backend {
    /// With a real queue, a real store, both or neither.
    pub(crate) fn new(rabbitmq: bool, redis: bool) -> Self {
        let number = BACKENDS.fetch_add(1, Ordering::Relaxed);
        let queue = rabbitmq.then(|| RABBITMQ.lock().unwrap().url());
        let store = redis.then(|| format!("{}/{number}", REDIS.lock().unwrap().url()));
        Self { queue, store, ..Self::numbered(number) }
    }

    /// With neither.
    fn numbered(number: usize) -> Self {
        let (name, queue_type) = (format!("test-{number}"), QueueType::Classic);
        Self { queue: None, store: None, name, queue_type, buckets: 1, _turn: None }
    }

    /// With the stock in several buckets of a Redis, and a real queue or not.
    fn spread(rabbitmq: bool) -> Self {
        Self::new(rabbitmq, true).with_buckets(BUCKETS)
    }

    /// With the store in the cluster, which no other test uses while this lives, and a real queue
    /// or not.
    pub(crate) fn in_cluster(rabbitmq: bool) -> Self {
        let turn = Turn::take();
        let store = Some(turn.url.clone());
        Self { store, _turn: Some(Arc::new(turn)), ..Self::new(rabbitmq, false) }
    }

    /// Every combination that can run here, one after the other: drop each before the next.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let missing = missing_for_variants(&["rabbitmq-server", "redis-server"]);
        let [no_rabbitmq, no_redis] =
            ["rabbitmq-server", "redis-server"].map(|program| missing.contains(&program));
        let combinations = [(false, false), (false, true), (true, false), (true, true)];
        let runnable = combinations
            .into_iter()
            .filter(move |(rabbitmq, redis)| !(*rabbitmq && no_rabbitmq || *redis && no_redis));
        let real = runnable.map(|(rabbitmq, redis)| Self::new(rabbitmq, redis));
        let queues = [false, true].into_iter().filter(move |rabbitmq| !(*rabbitmq && no_rabbitmq));
        let of_redis = queues.filter(move |_| !no_redis);
        real.chain(of_redis.clone().map(Self::spread)).chain(of_redis.map(Self::in_cluster))
    }

    /// Every store that can run here, each of them empty: drop each before the next.
    pub(crate) fn stores() -> impl Iterator<Item = Self> {
        let has_redis = missing_for_variants(&["redis-server"]).is_empty();
        let real = [false, true].into_iter().filter(move |real| !real || has_redis);
        let cluster = has_redis.then_some(false).into_iter().map(Self::in_cluster);
        let spread = has_redis.then_some(false).into_iter().map(Self::spread);
        real.map(|real| Self::new(false, real)).chain(spread).chain(cluster)
    }

    /// Both real, if they are installed; reports the test as skipped if not.
    pub(crate) fn real() -> Option<Self> {
        installed(&["rabbitmq-server", "redis-server"]).then(|| Self::new(true, true))
    }

    /// On services that the test or somebody else started.
    pub(crate) fn on(broker: &RabbitMq, redis: &Redis) -> Self {
        let number = BACKENDS.fetch_add(1, Ordering::Relaxed);
        let (queue, store) = (broker.url(), format!("{}/{number}", redis.url()));
        Self { queue: Some(queue), store: Some(store), ..Self::numbered(number) }
    }

    /// With the store in a Redis Cluster that the test has started, and the same queue server.
    pub(crate) fn with_cluster(&self, cluster: &RedisCluster) -> Self {
        let number = BACKENDS.fetch_add(1, Ordering::Relaxed);
        let (queue, store) = (self.queue.clone(), Some(cluster.url()));
        Self { queue, store, queue_type: self.queue_type, ..Self::numbered(number) }
    }

    /// With a quorum queue on a RabbitMQ cluster, whose address has a password, and a store in the
    /// Redis of this test program or in another one.
    pub(crate) fn on_cluster(cluster: &RabbitMqCluster, redis: Option<&Redis>) -> Self {
        let backend = match redis {
            Some(redis) => Self::with_redis(redis),
            None => Self::new(false, true),
        };
        let url = cluster.url().replace("//", "//guest:guest@");
        Self { queue: Some(url), queue_type: QueueType::Quorum, ..backend }
    }

    /// With the broker reached at another port, such as that of a link.
    pub(crate) fn with_broker_port(self, port: u16) -> Self {
        Self { queue: Some(format!("amqp://127.0.0.1:{port}")), ..self }
    }

    /// With the embedded queue, and a store in this Redis.
    pub(crate) fn with_redis(redis: &Redis) -> Self {
        let number = BACKENDS.fetch_add(1, Ordering::Relaxed);
        let store = Some(format!("{}/{number}", redis.url()));
        Self { store, ..Self::numbered(number) }
    }

    /// With another queue in the same broker, and a store in this Redis.
    pub(crate) fn with_store(&self, redis: &Redis) -> Self {
        let number = BACKENDS.fetch_add(1, Ordering::Relaxed);
        let store = Some(format!("{}/{number}", redis.url()));
        let (queue, queue_type) = (self.queue.clone(), self.queue_type);
        Self { queue, store, queue_type, ..Self::numbered(number) }
    }

    /// With the stock spread over this many buckets.
    pub(crate) fn with_buckets(self, buckets: usize) -> Self {
        Self { buckets, ..self }
    }

    /// The queue's name, which matters for a broker only.
    pub(crate) fn queue_name(&self) -> &str {
        &self.name
    }

    /// The configuration of a server that sells ten units of tea.
    pub(crate) fn config(&self, data: &Path, flaws: &Flaws) -> ServePlan {
        let five_s = std::time::Duration::from_secs(5);
        let broker = |url: &String| BrokerPlan {
            url: url.parse().unwrap(),
            queue: self.name.clone(),
            queue_type: self.queue_type,
            publish_timeout: five_s,
            connect_timeout: five_s,
        };
        ServePlan {
            broker: self.queue.as_ref().map(broker),
            redis: self.store.as_ref().map(|url| url.parse().unwrap()),
            stock_buckets: self.buckets,
            flaws: flaws.clone(),
            ..config(data)
        }
    }

    /// The flags that select this queue and store.
    pub(crate) fn flags(&self) -> Vec<String> {
        let flag = |name: &str, value: &Option<String>| {
            value.iter().flat_map(|value| [name.to_owned(), value.clone()]).collect::<Vec<_>>()
        };
        let name = self.queue.as_ref().map(|_| self.name.clone());
        let (queue, store) = (flag("--queue", &self.queue), flag("--store", &self.store));
        let of_type = (self.queue_type == QueueType::Quorum).then(|| "quorum".to_owned());
        let name = flag("--queue-name", &name);
        let buckets = (self.buckets > 1).then(|| self.buckets.to_string());
        let more = [flag("--queue-type", &of_type), flag("--stock-buckets", &buckets)].concat();
        [queue, store, name, more].concat()
    }
}
