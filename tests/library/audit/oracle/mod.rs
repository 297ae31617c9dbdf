//! The audit, compared with an exhaustive search: is there any right sale that can have given these
//! answers at these times? Histories are small, from simulated sales, right and wrong ones, and of
//! some one answer, reading or time is changed.

mod ask;
mod comparison;
mod lies;
mod possible;
mod print;
mod question;
mod random;
mod run;
mod sale;
mod search;
mod shrink;
mod simulate;
mod tally;
mod terms;
mod tester;
mod told_in_parts;

use std::env;

use comparison::{Compared, compare};
use random::Random;
use run::Run;
use tally::Tally;
use terms::Size;

/// Histories in the usual test, and how many in a long one: `SECKILL_ORACLE_HISTORIES`.
const HISTORIES: u64 = 2_000;

/// How many disagreements of one kind are printed.
const PRINTED_MAX: usize = 5;

#[test]
fn judge_agrees_with_an_exhaustive_search() {
    let histories = variable("SECKILL_ORACLE_HISTORIES").unwrap_or(HISTORIES);
    let seed = variable("SECKILL_ORACLE_SEED").unwrap_or(1);
    let mut tally = Tally::default();
    for number in 0..histories {
        let run = random_run(seed, number);
        let compared = compare(&run);
        let Compared { comparison, audit, .. } = &compared;
        if comparison.is_disagreement() && tally.like(comparison) < PRINTED_MAX {
            let (run, removed) = shrink::shrink(run, comparison, audit);
            println!("history {number}, without {removed} operations that do not matter:");
            println!("{}", print::printed(&run));
        }
        tally.add(&compared);
        if number > 0 && number.is_multiple_of(10_000) {
            println!("{number} histories: {tally}");
        }
    }
    println!("{tally}");
    tally.assert_agreement();
}

fn variable(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no whole number")))
}

/// The history of this number: half of them from a right sale, and about as many without a lie.
fn random_run(seed: u64, number: u64) -> Run {
    let mut random = Random::new(seed.wrapping_mul(0x1_0000_0001).wrapping_add(number));
    let size = match random.below(10) {
        0..=2 => Size::Tiny,
        3..=8 => Size::Small,
        _ => Size::Long,
    };
    let is_right = random.chance(70);
    let mut run = simulate::simulate(size, is_right, &mut random);
    if random.chance(50) {
        for _ in 0..random.between(1, 2) {
            lies::tell(&mut run, &mut random);
        }
    }
    run
}
