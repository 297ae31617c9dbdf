//! The mutation score: how many mutants of each kind there are, and what became of them.

use std::collections::BTreeMap;
use std::fmt;

use seckill::judge::Invariant;

use super::Expected;

/// How many mutants there are at the least, in all and of each kind.
const MUTANTS_MIN: u64 = 2_000;
const OF_KIND_MIN: u64 = 2;

/// The mutants by kind, in the order in which the kinds were added.
#[derive(Default)]
pub(super) struct Score {
    kinds: Vec<(&'static str, Tally)>,
}

#[derive(Default)]
struct Tally {
    mutants: u64,
    as_expected: u64,
    broken: BTreeMap<Invariant, u64>,
    unknown: u64,
    invisible: BTreeMap<&'static str, u64>,
}

impl Score {
    pub(super) fn add(&mut self, kind: &'static str, expected: Expected, is_as_expected: bool) {
        if self.kinds.last().is_none_or(|(last, _)| *last != kind) {
            self.kinds.push((kind, Tally::default()));
        }
        let Some((_, tally)) = self.kinds.last_mut() else { return };
        tally.mutants += 1;
        tally.as_expected += u64::from(is_as_expected);
        match expected {
            Expected::Broken(invariant) => *tally.broken.entry(invariant).or_default() += 1,
            Expected::Unknown => tally.unknown += 1,
            Expected::Invisible(because) => *tally.invisible.entry(because).or_default() += 1,
        }
    }

    /// Checks that there are enough mutants of each kind, and some for each of these invariants.
    pub(super) fn check_variety(
        &self,
        kinds: impl Iterator<Item = &'static str>,
        is_of_these: impl Fn(&Invariant) -> bool,
    ) {
        for kind in kinds {
            let of_kind = self.kinds.iter().find(|(name, _)| *name == kind);
            let mutants = of_kind.map_or(0, |(_, tally)| tally.mutants);
            assert!(mutants >= OF_KIND_MIN, "{kind}: only {mutants} mutants");
        }
        for invariant in Invariant::ALL.iter().filter(|of| is_of_these(of)) {
            let is_broken =
                self.kinds.iter().any(|(_, tally)| tally.broken.contains_key(invariant));
            assert!(is_broken, "no mutant breaks {invariant:?}");
        }
    }

    /// Checks that there are enough mutants in all.
    pub(super) fn check_number(&self) {
        assert!(self.mutants() >= MUTANTS_MIN, "only {} mutants", self.mutants());
    }

    fn mutants(&self) -> u64 {
        self.sum(|tally| tally.mutants)
    }

    fn sum(&self, of: impl Fn(&Tally) -> u64) -> u64 {
        self.kinds.iter().map(|(_, tally)| of(tally)).sum()
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| kind | mutants | as expected | broken | unknown | invisible |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for (kind, tally) in &self.kinds {
            let broken = tally.broken.iter().map(|(of, n)| format!("`{}` {n}", of.as_str()));
            let invisible = tally.invisible.iter().map(|(because, n)| format!("{n}: {because}"));
            let (broken, invisible) =
                (broken.collect::<Vec<_>>().join(", "), invisible.collect::<Vec<_>>().join("; "));
            let Tally { mutants, as_expected, unknown, .. } = tally;
            writeln!(
                f,
                "| {kind} | {mutants} | {as_expected} | {broken} | {unknown} | {invisible} |"
            )?;
        }
        let invisible = self.sum(|tally| tally.invisible.values().sum());
        write!(
            f,
            "{} kinds, {} mutants, {} of them visible; {} as expected",
            self.kinds.len(),
            self.mutants(),
            self.mutants() - invisible,
            self.sum(|tally| tally.as_expected)
        )
    }
}
