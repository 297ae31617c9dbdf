//! A system of several processes on one queue and one store, with a flaw or without.
#![allow(dead_code)] // Each test uses a part of it.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use reqwest::Method;
use seckill::flaws::Flaw;
use seckill::ids::RequestId;
use seckill::lab::{RabbitMq, RabbitMqOptions};
use seckill::monitor::metric;
use seckill::store::{Redis, RedisOptions};
use serde_json::json;
use tempfile::TempDir;

use super::child::{Serving, eventually, seckill};
use super::client::{PLENTY, Sale, TOKEN, ask, block_on, get};
use super::support::engines::Place;

/// Open files of the broker that is treated badly: few, so that its limit of connections is near.
const FILES: u64 = 256;

/// A broker that is killed, suspended, and used up: whoever locks it has it alone.
pub(crate) static FRAGILE: LazyLock<Mutex<RabbitMq>> = LazyLock::new(|| {
    let options = RabbitMqOptions { files: Some(FILES), ..RabbitMqOptions::default() };
    Mutex::new(RabbitMq::start(options).unwrap())
});

/// A broker to kill, to suspend, and to use up: the caller has it alone, and nobody is connected.
pub(crate) fn fragile_broker() -> MutexGuard<'static, RabbitMq> {
    let broker = FRAGILE.lock().unwrap_or_else(PoisonError::into_inner);
    wait_unused(&broker);
    broker
}

/// Waits until nobody is connected to a broker, nor about to be.
pub(crate) fn wait_unused(broker: &RabbitMq) {
    eventually("nobody is connected to the broker", || {
        let page = String::from_utf8(get(&broker.prometheus_url())).unwrap();
        let number = |name| metric(&page, name);
        let sockets = number("rabbitmq_process_open_tcp_sockets");
        (number("rabbitmq_connections"), sockets) == (Some(0), Some(0))
    });
}

/// See the module.
pub(crate) struct Site {
    place: Place,
    flaw: Option<Flaw>,
    folder: TempDir,
}

impl Site {
    /// With one flaw, or hardened.
    pub(crate) fn new(place: Place, flaw: Option<Flaw>) -> Self {
        Self { place, flaw, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn queue_name(&self) -> &str {
        self.place.queue_name()
    }

    /// The flags of every server here.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags = self.place.flags();
        flags.extend(["--publish-timeout", "2s"].map(str::to_owned));
        flags.extend(self.flaw.iter().flat_map(|flaw| ["--flaw".into(), flaw.name().into()]));
        flags
    }

    /// Starts a process: `all`, `api` or `consumer`.
    pub(crate) fn serve(&self, role: &str, more: &[&str]) -> Serving {
        self.serve_at("127.0.0.1:0", role, more)
    }

    /// As [`Site::serve`], at an address that is given.
    pub(crate) fn serve_at(&self, address: &str, role: &str, more: &[&str]) -> Serving {
        let flags = self.flags();
        let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
        all.extend(["--role", role, "--admin-token", TOKEN]);
        all.extend(more);
        Serving::start_at(address, seckill(), self.folder(), &all)
    }

    /// Runs `seckill bench` to its end; in `more`, what follows `--` is for the spawned server.
    pub(crate) fn bench(&self, more: &[&str]) -> Output {
        let mut command: Command = seckill();
        command.current_dir(self.folder()).arg("bench").args(more).output().unwrap()
    }

    /// Waits until the register knows that all that was accepted is queued.
    pub(crate) fn wait_confirmed(&self) {
        let url = self.place.store.as_ref().unwrap().parse().unwrap();
        let options = RedisOptions { url, flaws: Default::default() };
        let redis = block_on(Redis::open(&options)).unwrap();
        let store = seckill::store::Store::Redis(redis);
        eventually("what is queued is known to be", || {
            block_on(store.unconfirmed(u64::MAX >> 1)).unwrap().is_empty()
        });
    }

    /// Buys something else until that is decided. With one consumer, what was queued before and is
    /// not decided then is gone.
    pub(crate) fn wait_for_all_before(&self, url: &str) {
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
