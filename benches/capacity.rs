//! The CPU time that each process needs for a request, from which the number of processes for an
//! expected load follows.
//!
//! All share the cores of this machine. A row is of one run: the figures are for planning, and not
//! for comparison.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;

use std::path::Path;
use std::time::Duration;

use seckill::lab::{RabbitMq, RabbitMqOptions, Redis, is_installed};

use support::cpu::spent_us;
use support::generator::bench;
use support::server::Server;

/// Connections of the load.
const CONNECTIONS: &str = "350";

/// Attempts of each connection that are accepted before a consumer starts: so few that a broker
/// which nobody consumes from does not run out of memory.
const LOOPS: &str = "80";

/// Pause between two questions how many attempts wait.
const POLL: Duration = Duration::from_millis(20);

/// The engines, and the flags with which a server uses them.
struct Engines {
    pids: [u32; 2],
    flags: Vec<String>,
}

fn main() {
    support::raise_file_limit();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    figure!("CPU us for each request              serve  RabbitMQ     Redis   requests/s");
    let none = Engines { pids: [0; 2], flags: Vec::new() };
    let duration = ["--duration", if support::is_test() { "100ms" } else { "5s" }];
    let run = |what: &str, engines: &Engines, stock: &str, more: &[&str]| {
        let server = serve(&folder.path().join(what), engines, &["--stock", stock]);
        measure(what, engines, &server, &[&duration[..], more].concat());
    };
    run("refusing, embedded", &none, "0", &[]);
    run("the same, a connection each", &none, "0", &["--no-keepalive"]);
    run("accepting and deciding, embedded", &none, "4000M", &[]);
    if !is_installed("rabbitmq-server") || !is_installed("redis-server") {
        println!("skipped in part: benchmarks (capacity needs rabbitmq-server and redis-server)");
        return;
    }
    let rabbitmq = RabbitMq::start(RabbitMqOptions::default()).unwrap();
    let redis = Redis::start_with(&["--auto-aof-rewrite-percentage", "0"]).unwrap();
    let flags = ["--queue", &rabbitmq.url(), "--store", &redis.url(), "--max-queue", "1M"];
    let engines = Engines {
        pids: [rabbitmq.service().pid(), redis.service().pid()],
        flags: flags.map(str::to_owned).to_vec(),
    };
    run("refusing, RabbitMQ and Redis", &engines, "0", &[]);
    let api = ["--role", "api", "--stock", "4000M", "--fresh-sale"];
    let api = serve(&folder.path().join("api"), &engines, &api);
    let loops = if support::is_test() { "2" } else { LOOPS };
    let accepted = measure("accepting", &engines, &api, &["--loops", loops]);
    let before = spent(&engines, None);
    let consumer = serve(&folder.path().join("consumer"), &engines, &["--role", "consumer"]);
    while queued(&consumer) > 0 {
        std::thread::sleep(POLL);
    }
    print("deciding", before, spent(&engines, Some(&consumer)), accepted, "");
}

fn serve(data: &Path, engines: &Engines, flags: &[&str]) -> Server {
    Server::start(env!("CARGO_BIN_EXE_seckill").as_ref(), |command| {
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error"]);
        command.args(["--per-buyer", "1M"]).args(&engines.flags).args(flags);
        command.arg("--data").arg(data);
    })
}

/// Loads a server, prints a row, and returns how many requests there were.
fn measure(what: &str, engines: &Engines, server: &Server, load: &[&str]) -> f64 {
    let before = spent(engines, Some(server));
    let result = bench(&server.url, &[&["--threads", CONNECTIONS], load].concat());
    let after = spent(engines, Some(server));
    let requests = result["requests"]["total"].as_f64().unwrap();
    let per_second = result["requests"]["per_second"].as_f64().unwrap();
    print(what, before, after, requests, &format!("{per_second:.0}"));
    requests
}

/// CPU time so far of a server, RabbitMQ and Redis, in microseconds.
fn spent(engines: &Engines, server: Option<&Server>) -> [f64; 3] {
    let server = server.map_or(0, |server| server.process.pid());
    let [rabbitmq, redis] = engines.pids;
    [server, rabbitmq, redis].map(|pid| if pid == 0 { 0.0 } else { spent_us(pid as i32) })
}

fn print(what: &str, before: [f64; 3], after: [f64; 3], requests: f64, per_second: &str) {
    let [server, rabbitmq, redis] = [0, 1, 2].map(|of| (after[of] - before[of]) / requests);
    figure!("{what:<33} {server:>8.1} {rabbitmq:>9.1} {redis:>9.1} {per_second:>12}");
}

/// How many attempts wait for their decision.
fn queued(server: &Server) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sale: serde_json::Value = runtime.block_on(async {
        reqwest::get(format!("{}/result", server.url)).await.unwrap().json().await.unwrap()
    });
    sale["queued"].as_u64().unwrap()
}
