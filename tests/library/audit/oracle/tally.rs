//! Counts of comparisons.

use std::collections::BTreeMap;
use std::fmt;

use seckill::judge::Invariant;

use super::comparison::{Compared, Comparison};
use super::search::Answer;

#[derive(Debug, Default)]
pub(super) struct Tally {
    histories: usize,
    /// Those that the linearizability tester has judged, too.
    tested: BTreeMap<&'static str, usize>,
    counts: BTreeMap<&'static str, usize>,
    weaker: BTreeMap<&'static str, usize>,
    missed: BTreeMap<String, usize>,
    broken: BTreeMap<Invariant, usize>,
}

impl Tally {
    pub(super) fn add(&mut self, Compared { comparison, audit, tester }: &Compared) {
        self.histories += 1;
        if let Some(tester) = tester {
            let answer = if *tester == Answer::Explained { "explainable" } else { "not" };
            *self.tested.entry(answer).or_default() += 1;
        }
        *self.counts.entry(name(comparison)).or_default() += 1;
        match comparison {
            Comparison::Weaker(name) => *self.weaker.entry(name).or_default() += 1,
            Comparison::Missed(problem) => *self.missed.entry(problem.clone()).or_default() += 1,
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
        self.count("disputed") + self.count("falsely accused") + self.count("missed")
    }

    pub(super) fn assert_agreement(&self) {
        assert_eq!(self.disagreements(), 0, "disagreements of {} histories", self.histories);
        assert!(self.count("given up") * 100 <= self.histories, "too many were given up");
        let tested: usize = self.tested.values().sum();
        assert!(tested * 10 >= self.histories, "the tester judged {tested} only");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} histories", self.histories)?;
        self.counts.iter().try_for_each(|(name, count)| write!(f, ", {count} {name}"))?;
        write!(f, "\njudged by the tester, too: {:?}", self.tested)?;
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
        Comparison::Disputed { .. } => "disputed",
        Comparison::FalselyAccused => "falsely accused",
        Comparison::Undecided => "undecided",
        Comparison::Weaker(_) => "weaker by design",
        Comparison::Missed(_) => "missed",
    }
}
