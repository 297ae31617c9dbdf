//! Compares a normal load alone with the same load beside clients that never read, read or send
//! slowly, or keep idle connections: latency, refusals, and the memory of server and kernel.
//!
//! The hostile clients run in this process, on a thread of their own, and connect again when they
//! are cut. `HOSTILE=NEVER_READING,SLOW_READING,SLOW_SENDING,IDLE` gives other numbers of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "hostile_clients/hostile.rs"]
mod hostile;

use std::time::Duration;

use seckill::stats::{Outcome, Reason, Summary};

use hostile::{Hostile, Kind};
use support::server::{self, Server};

const THREADS: u64 = 64;

/// Time-out until the server listens, and until all hostile clients are connected.
const TIMEOUT: Duration = Duration::from_secs(60);

fn main() {
    support::raise_file_limit();
    let [never_reading, slow_reading, slow_sending, idle] = numbers();
    let loops = if support::is_test() { 5 } else { 2_000 };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Server::start_endless_sale(&folder.path().join("data"), &["--max-queue", "1M"]);
    let url = &server.url;
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();

    let mut rows = vec![Row::measure("alone", url, loops, 1, &server)];
    let before = server.resident();
    let mut clients = vec![Hostile::start(address, Kind::Idle, idle, TIMEOUT)];
    let idle_cost = (server.resident() as f64 - before as f64) / idle as f64;
    rows.push(Row::measure("beside idle", url, loops, 2, &server));
    clients.push(Hostile::start(address, Kind::NeverReading, never_reading, TIMEOUT));
    clients.push(Hostile::start(address, Kind::SlowReading, slow_reading, TIMEOUT));
    clients.push(Hostile::start(address, Kind::SlowSending, slow_sending, TIMEOUT));
    rows.push(Row::measure("beside all", url, loops, 3, &server));
    let connected: u64 = clients.iter().map(Hostile::connected).sum();
    drop(clients);
    rows.push(Row::measure("after them", url, loops, 4, &server));
    // Two more waves without a load: what the first has left must serve the second.
    let waves = [(); 2].map(|()| {
        let before = server.resident();
        drop(Hostile::start(address, Kind::Idle, idle, TIMEOUT));
        server.resident() as f64 - before as f64
    });

    figure!(
        "{THREADS} buyers beside {never_reading} never-reading, {slow_reading} slowly reading, \
         {slow_sending} slowly sending, {idle} idle"
    );
    figure!("               p50 us    p99 us    ratio  refused  errors   RSS MiB  kernel MiB");
    for row in &rows {
        row.print(&rows[0]);
    }
    figure!("connections of hostile clients, those after a cut included: {connected}");
    figure!("RSS for each idle connection that has made a request: {idle_cost:.0} B");
    let [second, third] = waves.map(|bytes| bytes / f64::from(1 << 20));
    figure!("RSS that a second and a third wave of them add: {second:.1} and {third:.1} MiB");
}

/// The numbers of clients that never read, read slowly, send slowly, and are idle.
fn numbers() -> [usize; 4] {
    let default = if support::is_test() { "10,10,10,50" } else { "1000,1000,1000,10000" };
    let given = std::env::var("HOSTILE").unwrap_or_else(|_| default.into());
    let numbers: Vec<usize> = given.split(',').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// One measured load.
struct Row {
    name: &'static str,
    summary: Summary,
    resident: u64,
    kernel: u64,
}

impl Row {
    fn measure(name: &'static str, url: &str, loops: u64, seed: u64, server: &Server) -> Self {
        let summary = support::load(url, THREADS, loops, seed);
        Self { name, summary, resident: server.resident(), kernel: server::kernel_memory() }
    }

    fn print(&self, alone: &Self) {
        let Self { name, summary, resident, kernel } = self;
        let full = Outcome::Refused(Reason::intern("queue_full"));
        let refused = summary.by_outcome.iter().find(|(outcome, _)| *outcome == full);
        let (p50, p99) = (summary.latency.p50, summary.latency.p99);
        figure!(
            "{name:<12} {p50:>8.0} {p99:>9.0} {:>8.2} {:>8} {:>7} {:>9.1} {:>11.1}",
            p99 as f64 / alone.summary.latency.p99 as f64,
            refused.map_or(0, |(_, count)| *count),
            summary.errors,
            *resident as f64 / f64::from(1 << 20),
            *kernel as f64 / f64::from(1 << 20),
        );
    }
}
