//! Real engines for tests: one Redis and one RabbitMQ for a whole test program, started when the
//! first test needs them, and gone with the process.
#![allow(dead_code, clippy::explicit_write)] // Each test uses a part of it.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use seckill::flaws::Flaws;
use seckill::lab::{RabbitMq, RabbitMqOptions, Redis, is_installed};
use seckill::queue;
use seckill::server::{Config, QueueAt, StoreAt};
use seckill::settings::QueueType;
use seckill::store::RedisOptions;

use super::config;

static REDIS: LazyLock<Mutex<Redis>> = LazyLock::new(|| Mutex::new(Redis::start().unwrap()));
static RABBITMQ: LazyLock<Mutex<RabbitMq>> =
    LazyLock::new(|| Mutex::new(RabbitMq::start(RabbitMqOptions::default()).unwrap()));

/// Counts what must not be shared between tests: queues and databases.
static PLACES: AtomicUsize = AtomicUsize::new(0);

/// A queue and a store of a test's own.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) queue: Option<String>,
    pub(crate) store: Option<String>,
    name: String,
}

impl Place {
    /// With a real queue, a real store, both or none.
    pub(crate) fn new(rabbitmq: bool, redis: bool) -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let queue = rabbitmq.then(|| RABBITMQ.lock().unwrap().url());
        let store = redis.then(|| format!("{}/{number}", REDIS.lock().unwrap().url()));
        Self { queue, store, name: format!("test-{number}") }
    }

    /// Every combination that is installed here.
    pub(crate) fn all() -> Vec<Self> {
        let combinations = [(false, false), (false, true), (true, false), (true, true)];
        let installed = combinations.into_iter().filter(|(rabbitmq, redis)| {
            (!rabbitmq || installed("rabbitmq-server")) && (!redis || installed("redis-server"))
        });
        installed.map(|(rabbitmq, redis)| Self::new(rabbitmq, redis)).collect()
    }

    /// Both real, if they are installed here.
    pub(crate) fn real() -> Option<Self> {
        (installed("rabbitmq-server") && installed("redis-server")).then(|| Self::new(true, true))
    }

    /// With these engines, which are the test's own, or nobody's.
    pub(crate) fn on(broker: &RabbitMq, redis: &Redis) -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let (queue, store) = (broker.url(), format!("{}/{number}", redis.url()));
        Self { queue: Some(queue), store: Some(store), name: format!("test-{number}") }
    }

    /// The queue of the process, and a store that is the test's own.
    pub(crate) fn with_redis(redis: &Redis) -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let store = Some(format!("{}/{number}", redis.url()));
        Self { queue: None, store, name: format!("test-{number}") }
    }

    /// The same broker, another queue, and a store that is the test's own.
    pub(crate) fn with_store(&self, redis: &Redis) -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let store = Some(format!("{}/{number}", redis.url()));
        Self { queue: self.queue.clone(), store, name: format!("test-{number}") }
    }

    /// The queue's name, when it is a broker's.
    pub(crate) fn queue_name(&self) -> &str {
        &self.name
    }

    /// A server here that sells ten units of tea.
    pub(crate) fn config(&self, data: &Path, flaws: &Flaws) -> Config {
        let config = config(data);
        let five_s = std::time::Duration::from_secs(5);
        let rabbitmq = |url: &String| {
            QueueAt::RabbitMq(queue::Options {
                url: url.parse().unwrap(),
                queue: self.name.clone(),
                queue_type: QueueType::Classic,
                max: config.queue_max,
                publish_timeout: five_s,
                connect_timeout: five_s,
                flaws: flaws.clone(),
            })
        };
        let redis = |url: &String| {
            StoreAt::Redis(RedisOptions { url: url.parse().unwrap(), flaws: flaws.clone() })
        };
        Config {
            queue: self.queue.as_ref().map_or(QueueAt::Embedded, rabbitmq),
            store: self.store.as_ref().map_or(StoreAt::Embedded, redis),
            flaws: flaws.clone(),
            ..config
        }
    }

    /// The flags of `seckill serve` and of `bench --spawn --` for it.
    pub(crate) fn flags(&self) -> Vec<String> {
        let flag = |name: &str, value: &Option<String>| {
            value.iter().flat_map(|value| [name.to_owned(), value.clone()]).collect::<Vec<_>>()
        };
        let name = self.queue.as_ref().map(|_| self.name.clone());
        let (queue, store) = (flag("--queue", &self.queue), flag("--store", &self.store));
        [queue, store, flag("--queue-name", &name)].concat()
    }
}

/// Whether a service is; if not, says that what needs it is skipped.
pub(crate) fn installed(binary: &str) -> bool {
    let installed = is_installed(binary);
    if !installed {
        // Not `println!`, which is shown for failing tests only.
        writeln!(std::io::stderr(), "skipped, not installed: {binary}").unwrap();
    }
    installed
}
