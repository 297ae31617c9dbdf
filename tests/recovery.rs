//! `kill -9` under load: what was answered 202 is there after the restart, decided once, and no
//! sale ever has more orders than stock.

#![allow(clippy::unwrap_used, clippy::expect_used)] // In a test, that is an assertion.

#[path = "support/child.rs"]
mod child;
#[path = "support/client.rs"]
mod client;

use std::path::Path;

use seckill::audit::{History, Ids};
use seckill::profile::BenchFlags;
use seckill::units::Count;

use child::Serving;
use client::{Sale, TOKEN};

const STOCK: u64 = 60;
const BUYERS: u64 = 200;

/// Rounds in CI; `SECKILL_KILL_ROUNDS` asks for more, `SECKILL_KILL_SEED` for the same again.
const ROUNDS: u64 = 8;

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Some number below `below`, from a seed: SplitMix64.
fn random(seed: u64, round: u64, below: u64) -> u64 {
    let mut bits = seed.wrapping_add((round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) % below
}

#[test]
fn nothing_promised_is_lost_to_kill_9() {
    let rounds = from_env("SECKILL_KILL_ROUNDS", ROUNDS);
    let seed = from_env("SECKILL_KILL_SEED", u64::from(std::process::id()));
    println!("SECKILL_KILL_SEED={seed} SECKILL_KILL_ROUNDS={rounds}");
    let folder = tempfile::tempdir().unwrap();
    let mut rounds_so_far: Vec<(Sale, History)> = Vec::new();
    let mut accepted = 0;
    for round in 0..rounds {
        let (sale, history) = load_and_kill(folder.path(), seed, round);
        accepted += history.entries.len();
        rounds_so_far.push((sale, history));
        // The folder is opened again for every round, and at the end everything is read.
        let server = serve(folder.path());
        for (sale, history) in &mut rounds_so_far {
            sale.at(&server.url).assert_right(history);
        }
        server.kill();
    }
    assert!(accepted > 0, "no attempt was ever accepted: the test tests nothing");
}

fn serve(data: &Path) -> Serving {
    Serving::start(data, &["--admin-token", TOKEN, "--consumers", "3", "--prefetch", "8"])
}

/// One round: a fresh sale, a load on it, and the end of the server at a random moment.
fn load_and_kill(data: &Path, seed: u64, round: u64) -> (Sale, History) {
    let server = serve(data);
    let sale = Sale::open(&server.url, &format!("round-{round}"), STOCK);
    let loading = sale.load(&BenchFlags {
        threads: Some(Count(16)),
        loops: Some(Count(100_000)),
        buyers: Some(seckill::settings::Buyers::Pool(BUYERS)),
        seed: Some(seed ^ round),
        ..client::flags()
    });
    // Random in the number of answers, not in time: as random, and the same on a slow machine.
    loading.wait_for(1 + random(seed, round, 3 * STOCK));
    server.kill();
    (sale, loading.end().history)
}

#[test]
fn a_history_knows_only_its_own_round() {
    let ids = |seed| Ids::new(seed, seckill::settings::Buyers::New);
    let first = seckill::audit::AttemptNo { thread: 0, index: 0 };
    assert_ne!(ids(1).request_id(first), ids(2).request_id(first));
}
