//! Two API processes and two consumers behind nginx, on services of this test program.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard};

use seckill::lab::{Nginx, RabbitMq, RabbitMqOptions, Redis};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::child::{Serving, WAIT_MAX, seckill};
use crate::support::skip::installed;

static SERVICES: LazyLock<Mutex<Services>> = LazyLock::new(|| {
    let rabbitmq = RabbitMq::start(RabbitMqOptions::default()).unwrap();
    Mutex::new(Services { redis: Redis::start().unwrap(), rabbitmq, used: 0 })
});

/// A broker and a store for one test at a time, which counts connections or suspends them.
pub(crate) struct Services {
    pub(crate) redis: Redis,
    pub(crate) rabbitmq: RabbitMq,
    /// How many tests have used them; each gets its own queue and database.
    used: u32,
}

impl Services {
    /// Locks them; returns `None` and reports a skip if a service is not installed.
    pub(crate) fn take() -> Option<MutexGuard<'static, Self>> {
        if !installed(&["redis-server", "rabbitmq-server", "nginx"]) {
            return None;
        }
        let mut services = SERVICES.lock().unwrap_or_else(|poisoned| {
            // A failed test may have left them in any state.
            let mut services = poisoned.into_inner();
            services.redis.service_mut().restart().unwrap();
            services.rabbitmq.service_mut().restart().unwrap();
            SERVICES.clear_poison();
            services
        });
        services.used += 1;
        Some(services)
    }

    /// Starts a process with this role; all of them share the folder.
    pub(crate) fn serve(&self, folder: &TempDir, role: &str, more: &[&str]) -> Serving {
        let (queue, store) = (self.rabbitmq.url(), format!("{}/{}", self.redis.url(), self.used));
        let name = format!("test-{}", self.used);
        let flags = ["--role", role, "--queue", &queue, "--queue-name", &name, "--store", &store];
        Serving::start(&folder.path().join("data"), &[&flags[..], more].concat())
    }
}

/// The processes and nginx; all of them end when dropped.
pub(crate) struct Fleet {
    pub(crate) apis: Vec<Serving>,
    pub(crate) consumers: Vec<Serving>,
    pub(crate) nginx: Nginx,
    folder: TempDir,
}

impl Fleet {
    /// Starts all of it; the flags are passed to all four processes.
    pub(crate) fn start(services: &Services, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let two = |role| [0, 1].map(|_| services.serve(&folder, role, flags));
        let (apis, consumers) = (Vec::from(two("api")), Vec::from(two("consumer")));
        let ports: Vec<u16> = apis.iter().map(port).collect();
        let config = Nginx::balancer(&ports);
        let log = "access_log {folder}/access.log seckill; location / {";
        let nginx = Nginx::start(&config.replace("location / {", log)).unwrap();
        Self { apis, consumers, nginx, folder }
    }

    /// The command `seckill bench` against nginx.
    pub(crate) fn bench(&self, args: &[&str]) -> Command {
        let token = fs::read_to_string(self.folder.path().join("data/admin-token")).unwrap();
        let mut bench = seckill();
        bench.args(["bench", "--json", "--target", &self.nginx.url()]).args(args);
        bench.args(["--admin-token", token.trim()]).current_dir(self.folder.path());
        bench
    }

    /// The number of POSTs that this API process answered through nginx, from nginx's log.
    pub(crate) fn served(&self, api: &Serving) -> usize {
        let log: PathBuf = self.nginx.service().folder().join("access.log");
        let server = format!(" 127.0.0.1:{} ", port(api));
        let log = fs::read_to_string(log).unwrap();
        log.lines().filter(|line| line.contains("\"POST /") && line.contains(&server)).count()
    }

    /// The number of orders, as reported to a client through nginx.
    pub(crate) fn orders(&self) -> u64 {
        let (status, sale) = get(&self.nginx.url(), "/result");
        assert_eq!(status, 200, "{sale}");
        sale["orders"].as_u64().unwrap()
    }
}

pub(crate) fn port(serving: &Serving) -> u16 {
    serving.url.rsplit(':').next().unwrap().parse().unwrap()
}

/// Status and JSON of the answer to a GET.
pub(crate) fn get(url: &str, path: &str) -> (u16, Value) {
    ask(client().get(format!("{url}{path}")))
}

/// Status and JSON of the answer to an attempt.
pub(crate) fn attempt(url: &str) -> (u16, Value) {
    ask(client().post(format!("{url}/seckill")).json(&serde_json::json!({"uid": "ann"})))
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(WAIT_MAX).build().unwrap()
}

/// Status and JSON of the answer to a request.
pub(crate) fn ask(request: reqwest::RequestBuilder) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response = request.send().await.unwrap();
        // nginx's own answers are HTML.
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    })
}
