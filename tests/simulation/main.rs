//! Deterministic simulation: the real server code over a simulated disk, with crashes at every kind
//! of disk operation, lost answers, closed connections, retries, and held orders. A seed gives the
//! same run each time.
//!
//! `SECKILL_SIMULATE=1000..2000 cargo test --test simulation` runs those seeds, and
//! `SECKILL_SIMULATE=1234` the one that failed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

#[path = "../support/mod.rs"]
mod support;

mod committed;
mod disk;
mod random;
mod requests;
mod shape;
mod told;
mod world;

use world::{Simulated, simulate, simulate_without_sync};

/// The seeds of each run of the tests.
const SEEDS: std::ops::Range<u64> = 0..2_000;

/// The seeds that the environment names, or the usual ones.
fn seeds() -> std::ops::Range<u64> {
    let Ok(given) = std::env::var("SECKILL_SIMULATE") else { return SEEDS };
    let (from, to) = given.split_once("..").unwrap_or((&given, ""));
    let from: u64 = from.parse().expect("a seed, or seeds such as 0..1000");
    from..to.parse().unwrap_or(from + 1)
}

#[test]
fn no_crash_loses_doubles_or_oversells() {
    let (mut crashes, mut operations, mut accepted, mut ended) = (0, 0, 0, 0);
    for seed in seeds() {
        match simulate(seed) {
            Ok(simulated) => {
                crashes += simulated.crashes;
                operations += simulated.operations;
                accepted += simulated.accepted;
                ended += simulated.ended;
            }
            Err(why) => panic!("{why}; repeat it with SECKILL_SIMULATE={seed}"),
        }
    }
    let seeds = seeds().count();
    println!(
        "{seeds} seeds: {crashes} crashes, {operations} operations, {accepted} accepted, {ended} \
         held orders ended"
    );
}

/// The simulation finds what it is for: a server that answers too early loses attempts.
#[test]
fn answers_before_the_sync_are_found_to_be_lost() {
    let found: Vec<_> = (0..300).filter_map(|seed| simulate_without_sync(seed).err()).collect();
    assert!(found.len() > 10, "{found:?}");
    assert!(found.iter().any(|why| why.starts_with("accepted and lost")), "{found:?}");
}

#[test]
fn same_seed_is_the_same_run() {
    for seed in 0..50 {
        let runs: [Result<Simulated, String>; 2] = [seed; 2].map(simulate);
        assert_eq!(runs[0], runs[1], "seed {seed}");
    }
}
