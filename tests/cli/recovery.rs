//! `kill -9` under load: every attempt answered with 202 is there after the restart and decided
//! once, and no sale ever has more orders than stock.

use std::path::Path;

use seckill::history::{History, Ids};
use seckill::profile::BenchFlags;
use seckill::units::Count;

use crate::support::child::Serving;
use crate::support::client::{self, Sale, TOKEN};
use crate::support::seeded::{Random, from_env};

const STOCK: u64 = 60;
const BUYERS: u64 = 200;

/// Rounds in CI. `SECKILL_KILL_ROUNDS` sets more, `SECKILL_KILL_SEED` repeats an earlier run.
const ROUNDS: u64 = 8;

#[test]
fn kill_9_loses_no_accepted_attempt() {
    let rounds = from_env("SECKILL_KILL_ROUNDS").unwrap_or(ROUNDS);
    let seed = from_env("SECKILL_KILL_SEED").unwrap_or(u64::from(std::process::id()));
    println!("SECKILL_KILL_SEED={seed} SECKILL_KILL_ROUNDS={rounds}");
    let folder = tempfile::tempdir().unwrap();
    let mut rounds_so_far: Vec<(Sale, History)> = Vec::new();
    let mut accepted = 0;
    for round in 0..rounds {
        let (sale, history) = load_and_kill(folder.path(), seed, round);
        accepted += history.entries.len();
        rounds_so_far.push((sale, history));
        // Every round reopens the same folder; the end reads everything.
        let server = serve(folder.path());
        for (sale, history) in &mut rounds_so_far {
            sale.at(&server.url).assert_audit_passes(history);
        }
        server.kill();
    }
    assert!(accepted > 0, "no attempt was ever accepted, so nothing was tested");
}

fn serve(data: &Path) -> Serving {
    Serving::start(data, &["--admin-token", TOKEN, "--consumers", "3", "--prefetch", "8"])
}

/// One round: a new sale, a load on it, and a kill of the server at a random moment.
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
    // The moment is a random number of answers and no time, so that it is the same on a slow
    // machine.
    loading.wait_for(1 + Random(seed.wrapping_add(round)).below(3 * STOCK));
    server.kill();
    (sale, loading.end().history)
}

#[test]
fn ids_of_one_round_are_unknown_to_other_rounds() {
    let ids = |seed| Ids::new(seed, seckill::settings::Buyers::New);
    let first = seckill::history::AttemptNo { thread: 0, index: 0 };
    assert_ne!(ids(1).request_id(first), ids(2).request_id(first));
}
