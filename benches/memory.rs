//! Measures what a server with embedded queue and store needs: memory for each of a million
//! attempts, the journal, a restart on it, and memory for idle connections and for held results.
//!
//! `ATTEMPTS` and `CONNECTIONS=IDLE,HELD` give other numbers of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "memory/client.rs"]
mod client;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use seckill::stats::Outcome;

use client::Client;
use support::server::Server;

/// Buyers at a time.
const THREADS: u64 = 350;

/// Bytes in a megabyte.
const MB: f64 = 1e6;

/// How long connections are left alone before their memory is read: a server gives up the buffers
/// of idle ones after half a second.
const REST: Duration = Duration::from_secs(3);

/// Attempts that are decided while connections are opened, at most; see [`measure_held`].
const DECIDED_MEANWHILE: usize = 4_000;

/// Threads that open connections.
const OPENERS: usize = 8;

fn from_env(name: &str, default: &str) -> Vec<usize> {
    let value = std::env::var(name).unwrap_or_else(|_| default.into());
    value.split(',').map(|number| number.parse().unwrap()).collect()
}

fn main() {
    support::raise_file_limit();
    let (attempts, connections) =
        if support::is_test() { ("700", "20,20") } else { ("1000000", "15000,10000") };
    let attempts = from_env("ATTEMPTS", attempts)[0];
    let connections = from_env("CONNECTIONS", connections);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    measure_attempts(&folder.path().join("attempts"), attempts as u64);
    measure_idle(&folder.path().join("idle"), connections[0]);
    measure_held(&folder.path().join("held"), connections[1]);
}

/// A figure beside its goal.
fn print(what: &str, figure: f64, unit: &str, below: f64) {
    let word = if figure < below { "met" } else { "missed" };
    figure!("{what:<44} {figure:>9.2} {unit:<5}  goal < {below} {unit}: {word}");
}

fn measure_attempts(data: &Path, attempts: u64) {
    let server = Server::start_endless_sale(data, &["--max-queue", "1M"]);
    let before = server.resident() as f64;
    let summary = support::load(&server.url, THREADS, attempts / THREADS, 0);
    let accepted = summary.by_outcome.iter().find(|(outcome, _)| *outcome == Outcome::Accepted);
    let accepted = accepted.unwrap().1;
    while !Client::connect(&server).get("/result").contains("\"queued\":0") {
        thread::sleep(Duration::from_millis(20));
    }
    let after = server.resident() as f64;
    let journal = std::fs::metadata(data.join("sale.journal")).unwrap().len() as f64;
    drop(server);
    let begun = Instant::now();
    let server = Server::start_endless_sale(data, &["--max-queue", "1M"]);
    while !Client::connect(&server).get("/readyz").starts_with("HTTP/1.1 200") {
        thread::sleep(Duration::from_millis(1));
    }
    let restarted = begun.elapsed().as_secs_f64();

    figure!("attempts accepted and decided {accepted}, errors {}", summary.errors);
    figure!("RSS before {:.1} MB, after {:.1} MB", before / MB, after / MB);
    print("RSS that they add", (after - before) / MB, "MB", 150.0);
    figure!("  for each                   {:.0} bytes", (after - before) / accepted as f64);
    figure!("journal {:.0} MB, {:.0} bytes for each", journal / MB, journal / accepted as f64);
    print("restart until ready", restarted, "s", 2.0);
    figure!("RSS after the restart {:.1} MB", server.resident() as f64 / MB);
}

/// Connections that have been answered once.
fn measure_idle(data: &Path, count: usize) {
    let server = Server::start_endless_sale(data, &[]);
    let before = server.resident() as f64;
    let clients = open(count, |_| {
        let mut client = Client::connect(&server);
        assert!(client.get("/result").starts_with("HTTP/1.1 200"));
        client
    });
    thread::sleep(REST);
    let each = (server.resident() as f64 - before) / clients.len() as f64;
    print(&format!("RSS for each of {count} idle connections"), each, "bytes", 8192.0);
}

/// Requests for the results of attempts that are not decided. A server with the flaw
/// `check-then-act` decides one attempt after the other, each in at least 5 ms.
fn measure_held(data: &Path, count: usize) {
    let flags = ["--flaw", "check-then-act", "--max-queue", "1M", "--durability", "os"];
    let server = Server::start_endless_sale(data, &flags);
    let undecided = count + if support::is_test() { 0 } else { DECIDED_MEANWHILE };
    open(OPENERS, |first| {
        let mut client = Client::connect(&server);
        (first..undecided).step_by(OPENERS).for_each(|number| client.buy(number));
    });
    let before = server.resident() as f64;
    let clients = open(count, |number| {
        let mut client = Client::connect(&server);
        client.ask_for_result(undecided - count + number);
        client
    });
    thread::sleep(REST);
    let each = (server.resident() as f64 - before) / clients.len() as f64;
    let answered = clients.into_iter().filter(Client::is_answered).count();
    assert!(support::is_test() || answered == 0, "{answered} were decided too early");
    print(&format!("RSS for each of {count} held results"), each, "bytes", 8192.0);
}

/// What `open_one` makes of each number, by several threads in turn.
fn open<T: Send>(count: usize, open_one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let open_one = &open_one;
        let of_thread = |first| move || (first..count).step_by(OPENERS).map(open_one).collect();
        let threads: Vec<_> = (0..OPENERS).map(|first| scope.spawn(of_thread(first))).collect();
        threads.into_iter().flat_map(|thread| -> Vec<T> { thread.join().unwrap() }).collect()
    })
}
