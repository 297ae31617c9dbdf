//! Goodput and latency under overload: attempts decided per second, and the latency of those that
//! are accepted, with more and more connections in the closed model, and at more and more times the
//! server's capacity in the open model. Server and load have a core each.
//!
//! In the open model there are at most 10,000 users. Once all of them wait for an answer, arrivals
//! are not sent, and more of those change nothing: what was answered is printed beside the multiple
//! of the capacity that was asked for. Latencies count from the sending, as that is what the server
//! can influence.
//!
//! Each measurement is of a fresh server, since a sale with more orders costs more memory. The
//! machine drifts, so what is decided at a level is compared with the peak measured before it and
//! after it; its p99 is compared with that at half the capacity in the same round, which may be
//! minutes older. Rates follow from the peak before. Medians of several rounds are taken. The peak
//! is measured for a shorter time than the levels, so its sales are smaller, which favours it a
//! little.
//!
//! `cargo bench --bench overload -- --plot docs/overload.svg` draws the figures of the open model;
//! `--rounds N` makes another number of rounds, and `--open` leaves out the closed model.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "overload/measure.rs"]
mod measure;
#[path = "overload/plot.rs"]
mod plot;

use std::time::Duration;

use measure::{Figures, Level, measure};
use plot::Point;
use support::cores::Cores;
use support::median;
use support::server::Server;

/// Connections whose goodput is the peak.
const PEAK: u64 = 64;

/// Connections in the closed model.
const CONNECTIONS: [u64; 3] = [350, 1_000, 3_000];

/// Rates in the open model, in tenths of the goodput at the peak.
const TENTHS: [u64; 5] = [5, 10, 20, 50, 100];

/// Rounds of all levels.
const ROUNDS: usize = 5;

/// How long each level is measured: longer than attempts wait before they are refused.
const DURATION: Duration = Duration::from_secs(12);

/// How long the peak is measured, at which none waits.
const PEAK_DURATION: Duration = Duration::from_secs(6);

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
    let rounds = argument("--rounds").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let (rounds, duration, peak_duration) = match support::is_test() {
        true => (1, Duration::from_millis(300), Duration::from_millis(300)),
        false => (rounds, DURATION, PEAK_DURATION),
    };
    let run_peak = || run(cores, Level::Closed(PEAK), None, peak_duration);
    let closed = CONNECTIONS.map(Level::Closed);
    let closed = closed.into_iter().filter(|_| !std::env::args().any(|arg| arg == "--open"));
    let levels: Vec<Level> = TENTHS.map(Level::Open).into_iter().chain(closed).collect();
    let mut peaks = vec![run_peak()];
    let mut runs = vec![Vec::new(); levels.len()];
    let mut shares = vec![Vec::new(); levels.len()];
    for _ in 0..rounds {
        for (index, level) in levels.iter().enumerate() {
            let before = peaks[peaks.len() - 1].decided_per_second;
            let figures = run(cores, *level, Some(before), duration);
            let after = run_peak();
            let peak = f64::midpoint(before, after.decided_per_second);
            shares[index].push(figures.decided_per_second / peak);
            runs[index].push(figures);
            peaks.push(after);
        }
    }
    figure!("medians of {rounds} rounds; capacity: what was decided at {PEAK} connections");
    figure!(
        "                     answers/s  decided/s   share  p50 ms  p99 ms  x half  refused  MiB"
    );
    let half = &runs[0];
    let p99 = |runs: &[Figures]| Figures::medians(runs).p99_ms;
    print_row(Level::Closed(PEAK), &peaks, 1.0, p99(&peaks) / p99(half));
    let mut points = Vec::new();
    for ((level, runs), shares) in levels.iter().zip(&runs).zip(shares) {
        // Half the capacity was measured in the same round.
        let times = runs.iter().zip(half).map(|(run, half)| run.p99_ms / half.p99_ms).collect();
        let (share, times) = (median(shares), median(times));
        print_row(*level, runs, share, times);
        if let Level::Open(tenths) = *level {
            let memory_mib = Figures::medians(runs).memory_mib;
            points.push(Point { load: tenths as f64 / 10.0, share, p99: times, memory_mib });
        }
    }
    let drawing = plot::svg(&points, GOODPUT, P99);
    if let Some(path) = argument("--plot") {
        std::fs::write(path, drawing).unwrap();
    }
    figure!("goals: a share of {GOODPUT}, p99 within {P99} times that at half the capacity");
}

/// The value that follows this argument.
fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}

/// Prints the medians of a level, its share of the peak, and its p99 as a multiple of that at half
/// the capacity.
fn print_row(level: Level, runs: &[Figures], share: f64, times: f64) {
    let row = Figures::medians(runs);
    let missed = level.is_overload() && (share < GOODPUT || times > P99);
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

/// Measures one level on a server of its own.
fn run(cores: Cores, level: Level, capacity: Option<f64>, duration: Duration) -> Figures {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    cores.move_to_server();
    let server = Server::start_endless_sale(&folder.path().join("data"), &[]);
    cores.move_to_generator();
    measure(&server, level, capacity, duration)
}
