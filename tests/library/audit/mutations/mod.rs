//! The mutation score of the audit: right runs that were recorded, each changed in one way, must be
//! found by the invariant that the change breaks, or be shown to look right from outside.

mod answers;
mod before;
mod decisions;
mod evidence;
mod holds;
mod recorded;
mod refusals;
mod results;
mod rows;
mod run;
mod sale;
mod score;
mod times;
mod views;

use seckill::judge::{Invariant, Verdict};

use super::broken;
use run::{Chance, Run};
use score::Score;

/// How many mutants of each kind are made from each recorded run, unless `SECKILL_MUTATION_SEEDS`
/// says more.
const SEEDS: u64 = 2;

/// A way to change a run: its name, and the function that makes the change and returns what the
/// audit has to answer, or `None` if there is nothing in the run that it can change.
struct Kind(&'static str, fn(&mut Run, &mut Chance) -> Option<Expected>);

/// What the audit has to answer.
#[derive(Debug, Clone, Copy)]
enum Expected {
    /// This invariant is broken.
    Broken(Invariant),
    /// The verdict is unknown.
    Unknown,
    /// The run passes, for this reason: a right server can have made it.
    Invisible(&'static str),
}

const KINDS: &[&[Kind]] = &[
    rows::KINDS,
    decisions::KINDS,
    times::KINDS,
    sale::KINDS,
    before::KINDS,
    answers::KINDS,
    results::KINDS,
    refusals::KINDS,
    views::KINDS,
    evidence::KINDS,
];

fn seeds() -> u64 {
    let given = std::env::var("SECKILL_MUTATION_SEEDS").ok();
    given.map_or(SEEDS, |seeds| seeds.parse().expect("SECKILL_MUTATION_SEEDS is a number"))
}

/// What is wrong with the audit of a mutant; `None` if it is as expected.
fn problem(mutant: &Run, expected: Expected) -> Option<String> {
    let audit = mutant.audit();
    let is_as_expected = match expected {
        Expected::Broken(invariant) => {
            audit.verdict == Verdict::Fail && broken(&audit).contains(&invariant)
        }
        Expected::Unknown => audit.verdict == Verdict::Unknown,
        Expected::Invisible(_) => audit.verdict == Verdict::Pass,
    };
    let found = || (audit.verdict, &audit.because, &audit.violations);
    (!is_as_expected).then(|| format!("expected {expected:?}, found {:?}", found()))
}

#[test]
fn recorded_runs_pass() {
    for (name, run) in recorded::runs().iter().chain(recorded::held_runs()) {
        let audit = run.audit();
        assert_eq!((audit.verdict, &audit.violations[..]), (Verdict::Pass, &[][..]), "{name}");
    }
}

#[test]
fn each_mutant_of_a_right_run_is_found_or_looks_right_from_outside() {
    let score = score(KINDS, recorded::runs());
    println!("{score}");
    let kinds = KINDS.iter().copied().flatten();
    score.check_variety(kinds.map(|Kind(name, _)| *name), |of| !holds::BROKEN.contains(of));
    score.check_number();
}

#[test]
fn each_mutant_of_a_run_with_held_orders_is_found_or_looks_right_from_outside() {
    let score = score(&[holds::KINDS], recorded::held_runs());
    println!("{score}");
    let kinds = holds::KINDS.iter();
    score.check_variety(kinds.map(|Kind(name, _)| *name), |of| holds::BROKEN.contains(of));
}

/// Makes mutants of each kind of these runs, and checks what the audit says of them.
fn score(kinds: &[&[Kind]], runs: &[(String, Run)]) -> Score {
    let mut score = Score::default();
    let mut problems = Vec::new();
    for (number, Kind(kind, change)) in (0..).zip(kinds.iter().copied().flatten()) {
        let recordings = runs.chunks(recorded::HABITS.len());
        for (recording, with_habits) in (number..).zip(recordings) {
            let mut made: Vec<Run> = Vec::new();
            for seed in 0..seeds() {
                // The habits take turns.
                let (name, run) = &with_habits[(recording + seed as usize) % with_habits.len()];
                let mut mutant = run.clone();
                let Some(expected) = change(&mut mutant, &mut Chance::new(seed)) else { continue };
                assert_ne!(&mutant, run, "{kind}: nothing was changed in {name}");
                if made.contains(&mutant) {
                    continue;
                }
                let problem = problem(&mutant, expected);
                score.add(kind, expected, problem.is_none());
                problems.extend(problem.map(|text| format!("{kind}, {name}, seed {seed}: {text}")));
                made.push(mutant);
            }
        }
    }
    assert!(problems.is_empty(), "{} are not found:\n{}", problems.len(), problems.join("\n"));
    score
}
