//! Several processes on one queue and one store, with or without a flaw.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard};

use reqwest::Method;
use seckill::flaws::Flaw;
use seckill::ids::RequestId;
use seckill::lab::{RabbitMq, RabbitMqOptions};
use seckill::monitor::metric;
use seckill::store::{Redis, RedisOptions};
use serde_json::json;
use tempfile::TempDir;

use super::backend::Backend;
use super::child::{Serving, eventually, seckill};
use super::client::{PLENTY, Sale, TOKEN, ask, block_on, get};

/// Limit of open files of the fragile broker, low so that its limit of connections is soon reached.
const FILES: u64 = 256;

/// A broker that tests kill, suspend and exhaust; a test locks it to have it alone.
static FRAGILE: LazyLock<Mutex<RabbitMq>> = LazyLock::new(|| Mutex::new(broker_with_few_files()));

/// A broker of its own with as few files: the queues that other tests have left take some.
pub(crate) fn broker_with_few_files() -> RabbitMq {
    let options = RabbitMqOptions { files: Some(FILES), ..RabbitMqOptions::default() };
    RabbitMq::start(options).unwrap()
}

/// Locks the broker that may be killed, suspended and exhausted, and waits until it has no
/// connections.
pub(crate) fn fragile_broker() -> MutexGuard<'static, RabbitMq> {
    let broker = FRAGILE.lock().unwrap_or_else(|poisoned| {
        // A failed test may have left it in any state.
        let mut broker = poisoned.into_inner();
        broker.service_mut().restart().unwrap();
        FRAGILE.clear_poison();
        broker
    });
    wait_unused(&broker);
    broker
}

/// Waits until a broker has no connections, open or being opened.
pub(crate) fn wait_unused(broker: &RabbitMq) {
    eventually("the broker has no connections", || {
        let page = String::from_utf8(get(&broker.prometheus_url())).unwrap();
        let number = |name| metric(&page, name);
        let sockets = number("rabbitmq_process_open_tcp_sockets");
        (number("rabbitmq_connections"), sockets) == (Some(0), Some(0))
    });
}

/// Servers that share a queue, a store and a folder.
pub(crate) struct Deployment {
    backend: Backend,
    flaw: Option<Flaw>,
    folder: TempDir,
}

impl Deployment {
    /// With this flaw, or hardened.
    pub(crate) fn new(backend: Backend, flaw: Option<Flaw>) -> Self {
        Self { backend, flaw, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn queue_name(&self) -> &str {
        self.backend.queue_name()
    }

    /// The flags of all its servers.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = self.backend.flags();
        flags.extend(["--publish-timeout", "2s"].map(str::to_owned));
        flags.extend(self.flaw.iter().flat_map(|flaw| ["--flaw".into(), flaw.name().into()]));
        flags
    }

    /// Starts a process with the role `all`, `api` or `consumer`.
    pub(crate) fn serve(&self, role: &str, more: &[&str]) -> Serving {
        self.serve_at("127.0.0.1:0", role, more)
    }

    /// Like [`Deployment::serve`], on a given address.
    pub(crate) fn serve_at(&self, address: &str, role: &str, more: &[&str]) -> Serving {
        let flags = self.flags();
        let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
        all.extend(["--role", role, "--admin-token", TOKEN]);
        all.extend(more);
        Serving::start_at(address, seckill(), self.folder(), &all)
    }

    /// Runs `seckill bench` to its end; arguments after `--` in `more` go to the spawned server.
    pub(crate) fn bench(&self, more: &[&str]) -> Output {
        let mut command: Command = seckill();
        command.current_dir(self.folder()).arg("bench").args(more).output().unwrap()
    }

    /// Waits until the register has every accepted attempt as queued.
    pub(crate) fn wait_confirmed(&self) {
        let url = self.backend.store.as_ref().unwrap().parse().unwrap();
        let options =
            RedisOptions { url, buckets: self.backend.buckets, flaws: Default::default() };
        let redis = block_on(Redis::open(&options)).unwrap();
        let store = seckill::store::Store::Redis(redis);
        eventually("every queued attempt is registered as queued", || {
            block_on(store.unconfirmed(u64::MAX >> 1)).unwrap().is_empty()
        });
    }

    /// Buys another item until such an attempt is decided. With one consumer, attempts that were
    /// queued before and are still undecided then are lost.
    pub(crate) fn wait_until_earlier_are_decided(&self, url: &str) {
        let other = Sale::open(url, "other", PLENTY);
        let mut buyers = 0;
        eventually("something else is bought", || {
            buyers += 1;
            let id = RequestId::random();
            let body = json!({
                "item": other.item, "uid": format!("other-{buyers}"), "request_id": id.to_string(),
            });
            let accepted = ask(Method::POST, &format!("{url}/seckill"), Some(body));
            let result = format!("{url}/result/{id}?wait=1s");
            accepted.is_some_and(|(code, _)| code == 202)
                && ask(Method::GET, &result, None)
                    .is_some_and(|(_, body)| String::from_utf8_lossy(&body).contains("\"won\""))
        });
    }
}
