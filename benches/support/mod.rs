//! What the benchmarks share: rounds in turn, medians, and a load from within.

#![allow(dead_code, clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;

use seckill::load::{self, Stop};
use seckill::profile::{BenchFlags, Plan, Target};
use seckill::stats::{Live, Summary};
use seckill::units::Count;

/// Rounds of each side, in turn, so that a drift of the machine meets both.
pub(crate) const ROUNDS: usize = 5;

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Whether cargo asks only whether this runs: `cargo test --benches` does.
pub(crate) fn is_test() -> bool {
    !std::env::args().any(|arg| arg == "--bench")
}

/// Loads `url` with so many threads of so many attempts each.
pub(crate) fn load(url: &str, threads: u64, loops: u64, seed: u64) -> Summary {
    let flags = BenchFlags {
        threads: Some(Count(threads)),
        loops: Some(Count(loops)),
        ..BenchFlags::default()
    };
    let plan = Plan::new(&flags, seed).unwrap();
    let target = Target::new(Some(url)).unwrap();
    let live = Arc::new(Live::new(load::workers(threads)));
    let item = "default".parse().unwrap();
    let ran = load::run(&plan, &target, &item, 1, &live, &Stop::default()).unwrap();
    ran.recorder.finish()
}
