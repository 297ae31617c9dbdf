//! Goodput and latency under overload: attempts decided per second, and the latency of those that
//! are accepted, with more and more connections in the closed model, and at more and more times the
//! server's capacity in the open model. Server and load have a core each.
//!
//! In the open model there are at most 10,000 users. Once all of them wait for an answer, arrivals
//! are not sent, and more of those change nothing: what was answered is printed beside the rate
//! that was asked for. Latencies count from the sending, as that is what the server can influence.
//!
//! Each measurement is of a fresh server, since a sale with more orders costs more memory. Rounds
//! are interleaved, so that a drift of the machine affects all levels.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "overload/measure.rs"]
mod measure;

use std::time::Duration;

use measure::{Figures, Level, measure};
use support::cores::Cores;
use support::median;
use support::server::Server;

/// Connections whose goodput is the peak.
const PEAK: u64 = 64;

/// Connections in the closed model.
const CONNECTIONS: [u64; 4] = [PEAK, 350, 1_000, 3_000];

/// Rates in the open model, in tenths of the goodput at the peak.
const TENTHS: [u64; 5] = [5, 10, 20, 50, 100];

/// Rounds of all levels. A run is longer than attempts wait before they are refused.
const ROUNDS: usize = 3;

/// The least goodput, as a share of the peak.
const GOODPUT: f64 = 0.9;

/// The longest p99 of accepted attempts, as a multiple of that at half the capacity.
const P99: f64 = 3.0;

fn main() {
    support::raise_file_limit();
    let cores = Cores::take();
    if cores.are_one() {
        figure!("only one core: server and load take CPU from each other");
    }
    let (rounds, duration) = match support::is_test() {
        true => (1, Duration::from_millis(300)),
        false => (ROUNDS, Duration::from_secs(12)),
    };
    let capacity = run(cores, Level::Closed(PEAK), duration).decided_per_second as u64;
    let closed = CONNECTIONS.map(Level::Closed);
    let open = TENTHS.map(|tenths| Level::Open((capacity * tenths / 10).max(1)));
    let levels: Vec<Level> = closed.into_iter().chain(open).collect();
    let mut runs = vec![Vec::new(); levels.len()];
    for _ in 0..rounds {
        for (runs, level) in runs.iter_mut().zip(&levels) {
            runs.push(run(cores, *level, duration));
        }
    }
    figure!("medians of {rounds} runs of {duration:?}; capacity: decided at {PEAK} connections");
    figure!(
        "                     answers/s  decided/s   share  p50 ms  p99 ms  x half  refused  MiB"
    );
    // Ratios are of the same round, since the machine drifts.
    let (peak, half) = (&runs[0], &runs[CONNECTIONS.len()]);
    let ratio = |runs: &[Figures], to: &[Figures], of: fn(&Figures) -> f64| {
        median(runs.iter().zip(to).map(|(run, to)| of(run) / of(to)).collect())
    };
    for (level, runs) in levels.iter().zip(&runs) {
        let row = Figures::medians(runs);
        let share = ratio(runs, peak, |run| run.decided_per_second);
        let times = ratio(runs, half, |run| run.p99_ms);
        let missed = level.is_overload(capacity) && (share < GOODPUT || times > P99);
        figure!(
            "{:<19} {:>10.0} {:>10.0} {share:>7.2} {:>7.1} {:>7.1} {times:>7.2} {:>7.1}% {:>4.0}{}",
            level.to_string(),
            row.answered_per_second,
            row.decided_per_second,
            row.p50_ms,
            row.p99_ms,
            100.0 * row.refused_share,
            row.memory_mib,
            if missed { "  missed" } else { "" },
        );
    }
    figure!("goals: a share of {GOODPUT}, p99 within {P99} times that at half the capacity");
}

/// Measures one level on a server of its own.
fn run(cores: Cores, level: Level, duration: Duration) -> Figures {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    cores.move_to_server();
    let server = Server::start_endless_sale(&folder.path().join("data"), &[]);
    cores.move_to_generator();
    measure(&server, level, duration)
}
