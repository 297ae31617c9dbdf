//! Counts of comparisons.

use std::collections::BTreeMap;
use std::fmt;

use seckill::judge::{Audit, Invariant};

use super::comparison::Comparison;

#[derive(Debug, Default)]
pub(super) struct Tally {
    histories: usize,
    counts: BTreeMap<&'static str, usize>,
    weaker: BTreeMap<&'static str, usize>,
    missed: BTreeMap<String, usize>,
    broken: BTreeMap<Invariant, usize>,
}

impl Tally {
    pub(super) fn add(&mut self, comparison: Comparison, audit: &Audit) {
        self.histories += 1;
        *self.counts.entry(name(&comparison)).or_default() += 1;
        match comparison {
            Comparison::Weaker(name) => *self.weaker.entry(name).or_default() += 1,
            Comparison::Missed(problem) => *self.missed.entry(problem).or_default() += 1,
            _ => {}
        }
        for violation in &audit.violations {
            *self.broken.entry(violation.invariant).or_default() += 1;
        }
    }

    /// How many there are of the same kind.
    pub(super) fn like(&self, comparison: &Comparison) -> usize {
        self.count(name(comparison))
    }

    fn count(&self, name: &str) -> usize {
        self.counts.get(name).copied().unwrap_or(0)
    }

    pub(super) fn disagreements(&self) -> usize {
        self.count("falsely accused") + self.count("missed")
    }

    pub(super) fn assert_agreement(&self) {
        assert_eq!(self.disagreements(), 0, "disagreements of {} histories", self.histories);
        assert!(self.count("given up") * 100 <= self.histories, "too many were given up");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} histories", self.histories)?;
        self.counts.iter().try_for_each(|(name, count)| write!(f, ", {count} {name}"))?;
        write!(f, "\nweaker: {:?}\nmissed: {:?}\nbroken:", self.weaker, self.missed)?;
        let broken = self.broken.iter();
        broken.clone().try_for_each(|(one, count)| write!(f, " {} {count}", one.as_str()))
    }
}

fn name(comparison: &Comparison) -> &'static str {
    match comparison {
        Comparison::Explained => "explainable",
        Comparison::Impossible => "not explainable",
        Comparison::ImpossibleByClock => "not by one clock",
        Comparison::GivenUp => "given up",
        Comparison::FalselyAccused => "falsely accused",
        Comparison::Weaker(_) => "weaker by design",
        Comparison::Missed(_) => "missed",
    }
}
