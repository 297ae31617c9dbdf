//! Two processes that accept and two that decide, behind nginx, on engines of this program's own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard};

use seckill::lab::{Nginx, RabbitMq, RabbitMqOptions, Redis};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::child::{PATIENCE, Serving, seckill};
use crate::support::skip::installed;

static ENGINES: LazyLock<Mutex<Engines>> = LazyLock::new(|| {
    let rabbitmq = RabbitMq::start(RabbitMqOptions::default()).unwrap();
    Mutex::new(Engines { redis: Redis::start().unwrap(), rabbitmq, used: 0 })
});

/// A broker and a store, for one test at a time: it counts connections, or takes them away.
pub(crate) struct Engines {
    pub(crate) redis: Redis,
    pub(crate) rabbitmq: RabbitMq,
    /// How many tests had them before: each has a queue and a database of its own.
    used: u32,
}

impl Engines {
    /// Unless something is not installed: then that is said.
    pub(crate) fn take() -> Option<MutexGuard<'static, Self>> {
        if !installed(&["redis-server", "rabbitmq-server", "nginx"]) {
            return None;
        }
        let mut engines = ENGINES.lock().unwrap_or_else(|poisoned| {
            // Whatever the test that failed did to them.
            let mut engines = poisoned.into_inner();
            engines.redis.service_mut().restart().unwrap();
            engines.rabbitmq.service_mut().restart().unwrap();
            ENGINES.clear_poison();
            engines
        });
        engines.used += 1;
        Some(engines)
    }

    /// Starts a process with the role; all of them share the folder.
    pub(crate) fn serve(&self, folder: &TempDir, role: &str, more: &[&str]) -> Serving {
        let (queue, store) = (self.rabbitmq.url(), format!("{}/{}", self.redis.url(), self.used));
        let name = format!("test-{}", self.used);
        let flags = ["--role", role, "--queue", &queue, "--queue-name", &name, "--store", &store];
        Serving::start(&folder.path().join("data"), &[&flags[..], more].concat())
    }
}

/// See the module; all of it ends when dropped.
pub(crate) struct Fleet {
    pub(crate) apis: Vec<Serving>,
    pub(crate) consumers: Vec<Serving>,
    pub(crate) nginx: Nginx,
    folder: TempDir,
}

impl Fleet {
    /// Starts it; the flags are those of all four.
    pub(crate) fn start(engines: &Engines, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let two = |role| [0, 1].map(|_| engines.serve(&folder, role, flags));
        let (apis, consumers) = (Vec::from(two("api")), Vec::from(two("consumer")));
        let ports: Vec<u16> = apis.iter().map(port).collect();
        let config = Nginx::balancer(&ports);
        let log = "access_log {folder}/access.log seckill; location / {";
        let nginx = Nginx::start(&config.replace("location / {", log)).unwrap();
        Self { apis, consumers, nginx, folder }
    }

    /// `seckill bench` on nginx.
    pub(crate) fn bench(&self, args: &[&str]) -> Command {
        let token = fs::read_to_string(self.folder.path().join("data/admin-token")).unwrap();
        let mut bench = seckill();
        bench.args(["bench", "--json", "--target", &self.nginx.url()]).args(args);
        bench.args(["--admin-token", token.trim()]).current_dir(self.folder.path());
        bench
    }

    /// Attempts that each API process has answered through nginx, as nginx's log says.
    pub(crate) fn served(&self, api: &Serving) -> usize {
        let log: PathBuf = self.nginx.service().folder().join("access.log");
        let server = format!(" 127.0.0.1:{} ", port(api));
        let log = fs::read_to_string(log).unwrap();
        log.lines().filter(|line| line.contains("\"POST /") && line.contains(&server)).count()
    }

    /// Orders made, as a client is told through nginx.
    pub(crate) fn orders(&self) -> u64 {
        let (status, sale) = get(&self.nginx.url(), "/result");
        assert_eq!(status, 200, "{sale}");
        sale["orders"].as_u64().unwrap()
    }
}

fn port(serving: &Serving) -> u16 {
    serving.url.rsplit(':').next().unwrap().parse().unwrap()
}

/// What a GET is answered: the status, and the JSON.
pub(crate) fn get(url: &str, path: &str) -> (u16, Value) {
    ask(client().get(format!("{url}{path}")))
}

/// What an attempt is answered.
pub(crate) fn attempt(url: &str) -> (u16, Value) {
    ask(client().post(format!("{url}/seckill")).json(&serde_json::json!({"uid": "ann"})))
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

fn ask(request: reqwest::RequestBuilder) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    })
}
