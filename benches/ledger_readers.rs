//! Compares the buyers' latency while ledgers are read with that while none is. Everything shares
//! the same cores, the readers included; those of a real server are on other machines.
//!
//! `LEDGER_ROWS` sets the number of attempts in the ledger, `LEDGER_READERS` that of the readers.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use seckill::settings::Durability;

/// Buyers at a time.
const THREADS: u64 = 64;

/// Pause of a reader after it was told that others read.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    let (default_rows, loops) = if support::is_test() { (640, 2) } else { (1_000_000, 1_000) };
    let (rows, readers) = (from_env("LEDGER_ROWS", default_rows), from_env("LEDGER_READERS", 4));
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = seckill::server::runtime().unwrap();
    let config = seckill::profile::ServePlan {
        durability: Durability::Os,
        ..support::config(folder.path())
    };
    let (url, _app) = support::serve(&runtime, config);
    let filled = support::load(&url, THREADS, rows.div_ceil(THREADS), 0);
    assert_eq!(filled.errors, 0);

    let read = AtomicU64::new(0);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..support::ROUNDS as u64 {
        without.push(p99_ms(&url, loops, 2 * round + 1));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..readers {
                scope.spawn(|| read_ledgers(&url, &stop, &read));
            }
            with.push(p99_ms(&url, loops, 2 * round + 2));
            stop.store(true, Ordering::Relaxed);
        });
    }
    runtime.shutdown_background();
    let (without, with) = (support::median(without), support::median(with));
    let read_mib = read.load(Ordering::Relaxed) >> 20;
    assert!(support::is_test() || read_mib > 0, "no ledger was read");
    figure!("p99 of {THREADS} buyers in ms, {rows} attempts in the ledger at the beginning");
    figure!("  without readers        {without:>9.2}");
    figure!("  with {readers} readers         {with:>9.2}   {read_mib} MiB of ledgers read");
    figure!("  ratio                  {:>9.2}", with / without);
}

fn p99_ms(url: &str, loops: u64, seed: u64) -> f64 {
    let summary = support::load(url, THREADS, loops, seed);
    assert_eq!(summary.errors, 0);
    summary.latency.p99 as f64 / 1_000.0
}

/// Reads one ledger after the other, on a connection each, as fast as they come, and counts bytes.
fn read_ledgers(url: &str, stop: &AtomicBool, read: &AtomicU64) {
    let address = url.strip_prefix("http://").unwrap();
    let mut buffer = vec![0; 64 << 10];
    while !stop.load(Ordering::Relaxed) {
        let mut stream = TcpStream::connect(address).unwrap();
        let head = "GET /admin/ledger HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"authorization: Bearer token\r\n\r\n").unwrap();
        let len = stream.read(&mut buffer).unwrap();
        if !buffer[..len].starts_with(b"HTTP/1.1 200") {
            std::thread::sleep(BUSY_PAUSE);
            continue;
        }
        while !stop.load(Ordering::Relaxed) {
            match stream.read(&mut buffer).unwrap() as u64 {
                0 => break,
                len => read.fetch_add(len, Ordering::Relaxed),
            };
        }
    }
}
