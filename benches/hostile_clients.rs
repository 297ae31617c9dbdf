//! Compares a normal load alone with the same load beside clients that never read, read or send
//! slowly, or keep idle connections: latency, refusals, and the memory of server and kernel, in
//! rounds that alternate.
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
    let (rounds, loops) = if support::is_test() { (1, 5) } else { (support::ROUNDS, 1_500) };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Server::start_endless_sale(&folder.path().join("data"), &["--max-queue", "1M"]);
    let url = &server.url;
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();

    let names = ["alone", "beside idle", "as all come", "beside all", "after them"];
    let mut rows = names.map(Row::new);
    let (mut connected, mut idle_costs) = (0, Vec::new());
    for round in 0..rounds {
        let mut measure = |row: usize| {
            let seed = (round * rows.len() + row) as u64;
            rows[row].measure(support::load(url, THREADS, loops, seed), &server);
        };
        measure(0);
        let before = server.resident();
        let mut clients = vec![Hostile::start(address, Kind::Idle, idle, TIMEOUT)];
        idle_costs.push((server.resident() as f64 - before as f64) / idle as f64);
        measure(1);
        clients.push(Hostile::start(address, Kind::NeverReading, never_reading, TIMEOUT));
        clients.push(Hostile::start(address, Kind::SlowReading, slow_reading, TIMEOUT));
        clients.push(Hostile::start(address, Kind::SlowSending, slow_sending, TIMEOUT));
        // Their first requests are answered until their buffers are full. The second load is beside
        // what they go on with.
        measure(2);
        measure(3);
        connected += clients.iter().map(Hostile::connected).sum::<u64>();
        drop(clients);
        measure(4);
    }
    figure!(
        "{THREADS} buyers beside {never_reading} never-reading, {slow_reading} slowly reading, \
         {slow_sending} slowly sending, {idle} idle"
    );
    figure!("               p50 us    p99 us    ratio  refused  errors   RSS MiB  kernel MiB");
    for row in &rows {
        row.print(&rows[0]);
    }
    figure!("connections of hostile clients in {rounds} rounds: {connected}");
    let costs = idle_costs.iter().map(|cost| format!("{cost:.0}")).collect::<Vec<_>>().join(", ");
    figure!("RSS in bytes that each idle connection adds, round by round: {costs}");
}

/// The numbers of clients that never read, read slowly, send slowly, and are idle.
fn numbers() -> [usize; 4] {
    let default = if support::is_test() { "10,10,10,50" } else { "1000,1000,1000,10000" };
    let given = std::env::var("HOSTILE").unwrap_or_else(|_| default.into());
    let numbers: Vec<usize> = given.split(',').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// The loads of one kind, one of each round.
struct Row {
    name: &'static str,
    summaries: Vec<Summary>,
    resident: u64,
    kernel: u64,
}

impl Row {
    fn new(name: &'static str) -> Self {
        Self { name, summaries: Vec::new(), resident: 0, kernel: 0 }
    }

    fn measure(&mut self, summary: Summary, server: &Server) {
        self.summaries.push(summary);
        (self.resident, self.kernel) = (server.resident(), server::kernel_memory());
    }

    /// The median of a figure of the rounds.
    fn median(&self, figure: impl Fn(&Summary) -> u64) -> f64 {
        support::median(self.summaries.iter().map(|summary| figure(summary) as f64).collect())
    }

    fn print(&self, alone: &Self) {
        let full = Outcome::Refused(Reason::intern("queue_full"));
        let outcomes = self.summaries.iter().flat_map(|summary| &summary.by_outcome);
        let refused = outcomes.filter(|(outcome, _)| *outcome == full);
        let p99 = |row: &Self| row.median(|summary| summary.latency.p99);
        figure!(
            "{:<12} {:>8.0} {:>9.0} {:>8.2} {:>8} {:>7} {:>9.1} {:>11.1}",
            self.name,
            self.median(|summary| summary.latency.p50),
            p99(self),
            p99(self) / p99(alone),
            refused.map(|(_, count)| count).sum::<u64>(),
            self.summaries.iter().map(|summary| summary.errors).sum::<u64>(),
            self.resident as f64 / f64::from(1 << 20),
            self.kernel as f64 / f64::from(1 << 20),
        );
    }
}
