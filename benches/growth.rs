//! What a server costs as it grows: with more connections, more items on sale, and more attempts
//! that it has accepted before.
//!
//! Each row has the same load, 5,000 attempts a second that are all accepted with `fsync`, so that
//! a figure which rises down a column rises with what the row adds. With more items, the load is
//! spread over all of them. Server and load have a core each. `-- attempts` measures that part
//! only, as `-- connections` and `-- items` do; `GROWTH=1M` ends it at a million attempts instead
//! of ten.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "growth/items.rs"]
mod items;
#[macro_use]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use seckill::units::Count;

use support::cores::Cores;
use support::cpu::spent_us;
use support::generator::bench;
use support::server::{Server, kernel_memory};

/// Attempts per second.
const RATE: u64 = 5_000;

/// Connections where they are not what grows.
const CONNECTIONS: u64 = 350;

const CONNECTION_COUNTS: [u64; 5] = [10, 100, 1_000, 5_000, 15_000];
const ITEM_COUNTS: [u64; 4] = [1, 100, 1_000, 10_000];
const ATTEMPT_COUNTS: [u64; 4] = [1_000, 100_000, 1_000_000, 10_000_000];

/// Of the load that makes attempts only so that there are many.
const FILLING_CONNECTIONS: u64 = 64;

const FLAGS: [&str; 4] = ["--max-connections", "16000", "--max-queue", "1M"];
const TOKEN: &str = "token";
const MIB: f64 = (1 << 20) as f64;

fn main() {
    support::raise_file_limit();
    let cores = Cores::take();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let count_of = |all: &'static [u64]| if support::is_test() { &all[..1] } else { all };
    let start = |name: &str| {
        cores.move_to_server();
        let server = start(&folder.path().join(name));
        cores.move_to_generator();
        server
    };

    let parts = support::wanted(&["connections", "items", "attempts"]);
    if parts.contains(&"connections") {
        let server = start("connections");
        heading("connections");
        for connections in count_of(&CONNECTION_COUNTS) {
            Figures::measure(&server, *connections).print(*connections, None);
        }
    }
    if parts.contains(&"items") {
        let server = start("items");
        heading("items on sale");
        let mut open = 1;
        for items in count_of(&ITEM_COUNTS) {
            open_sales(&server, open..*items);
            open = *items;
            Figures::measure_items(&server, *items).print(*items, None);
        }
    }
    if parts.contains(&"attempts") {
        measure_attempts(count_of(&ATTEMPT_COUNTS), || start("attempts"));
    }
}

/// Each row is of a server that has accepted so many attempts, and then is killed and started
/// again.
fn measure_attempts(counts: &[u64], start: impl Fn() -> Server) {
    let most = std::env::var("GROWTH").map_or(u64::MAX, |most| most.parse::<Count>().unwrap().0);
    heading("attempts");
    let mut server = start();
    let mut made = 0;
    for attempts in counts.iter().filter(|attempts| **attempts <= most) {
        fill(&server, attempts - made);
        let figures = Figures::measure(&server, CONNECTIONS);
        made = attempts + figures.made.attempts;
        drop(server);
        let began = Instant::now();
        server = start();
        figures.print(*attempts, Some((began.elapsed().as_secs_f64(), server.resident())));
    }
}

fn start(data: &Path) -> Server {
    Server::start(env!("CARGO_BIN_EXE_seckill").as_ref(), |command| {
        command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "4000M"]);
        command.args(["--per-buyer", "1M", "--log", "error", "--admin-token", TOKEN]).args(FLAGS);
        command.arg("--data").arg(data);
    })
}

fn open_sales(server: &Server, numbers: std::ops::Range<u64>) {
    let client = reqwest::Client::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for number in numbers {
            let body = serde_json::json!({"item": name(number), "stock": 1_000_000});
            let opened = client.put(format!("{}/admin/sale", server.url));
            let opened = opened.bearer_auth(TOKEN).json(&body).send().await.unwrap();
            assert!(opened.status().is_success(), "{opened:?}");
        }
    });
}

/// The name of an item; the first one is the server's own.
fn name(number: u64) -> String {
    match number {
        0 => "default".to_owned(),
        _ => format!("item-{number}"),
    }
}

/// Makes so many attempts as fast as they are accepted.
fn fill(server: &Server, attempts: u64) {
    let loops = (attempts / FILLING_CONNECTIONS).max(1).to_string();
    bench(&server.url, &["--threads", &FILLING_CONNECTIONS.to_string(), "--loops", &loops]);
}

/// The attempts of a load.
struct Made {
    attempts: u64,
    p50_ms: f64,
    p99_ms: f64,
    refused: u64,
}

/// What the server did at one level.
struct Figures {
    made: Made,
    cpu_us: f64,
    resident: u64,
    kernel: u64,
}

impl Figures {
    /// While this load is made.
    fn of(server: &Server, load: impl FnOnce() -> Made) -> Self {
        let cpu_before = spent_us(server.process.pid() as i32);
        let made = load();
        let cpu_us = spent_us(server.process.pid() as i32) - cpu_before;
        Self {
            cpu_us: cpu_us / made.attempts as f64,
            made,
            resident: server.resident(),
            kernel: kernel_memory(),
        }
    }

    fn measure(server: &Server, connections: u64) -> Self {
        Self::of(server, || Made::by_connections(server, connections))
    }

    /// With a load that is spread over all items.
    fn measure_items(server: &Server, items: u64) -> Self {
        Self::of(server, || Made::by_items(server, items))
    }

    /// Prints a row; `restart` are the seconds that a restart took, and the memory after it.
    fn print(&self, of: u64, restart: Option<(f64, u64)>) {
        let restart = restart
            .map(|(seconds, resident)| format!("{seconds:>11.2}{:>12.0}", resident as f64 / MIB));
        figure!(
            "{of:>14}{:>10.1}{:>9.2}{:>9.2}{:>9}{:>9.0}{:>9.1}{}",
            self.cpu_us,
            self.made.p50_ms,
            self.made.p99_ms,
            self.made.refused,
            self.resident as f64 / MIB,
            self.kernel as f64 / MIB,
            restart.unwrap_or_default()
        );
    }
}

impl Made {
    /// By so many connections to the server's own item.
    fn by_connections(server: &Server, connections: u64) -> Self {
        let pause_ms = (connections * 1_000 / RATE).max(1);
        // Each user makes some attempts, and for 8 s in any case.
        let duration = if support::is_test() { 1 } else { 8 + 3 * pause_ms / 1_000 };
        let json = bench(
            &server.url,
            &[
                "--threads",
                &connections.to_string(),
                "--ramp",
                &format!("{pause_ms}ms"),
                "--think",
                &format!("{pause_ms}ms"),
                "--duration",
                &format!("{duration}s"),
            ],
        );
        let attempts = json["requests"]["total"].as_u64().unwrap();
        let accepted = &json["latency_accepted_us"];
        let ms = |percentile: &str| accepted[percentile].as_f64().unwrap() / 1e3;
        Self {
            attempts,
            p50_ms: ms("p50"),
            p99_ms: ms("p99"),
            refused: attempts - json["requests"]["by_outcome"]["queued"].as_u64().unwrap(),
        }
    }

    /// Spread over so many items.
    fn by_items(server: &Server, items: u64) -> Self {
        let pause = Duration::from_millis(CONNECTIONS * 1_000 / RATE);
        let seconds = if support::is_test() { 1 } else { 8 };
        let total = Duration::from_secs(seconds);
        let mut load = items::Load::make(&server.url, items, CONNECTIONS, pause, total);
        load.durations.sort_unstable();
        let ms = |share: f64| {
            let rank = (load.durations.len() as f64 * share).ceil() as usize;
            load.durations[rank.saturating_sub(1)].as_secs_f64() * 1e3
        };
        Self {
            attempts: load.durations.len() as u64 + load.refused,
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            refused: load.refused,
        }
    }
}

fn heading(of: &str) {
    let restart = if of == "attempts" { "  restart s   MiB after" } else { "" };
    figure!(
        "{of:>14}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}{restart}",
        "us CPU",
        "p50 ms",
        "p99 ms",
        "refused",
        "MiB",
        "kernel"
    );
}
