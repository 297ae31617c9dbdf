//! The conclusion of the audit, and the record of what it found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::history::{Answered, Asked, History};

use super::bounds::Bounds;
use super::dead_letters::DeadLetters;
use super::fairness::Fairness;
use super::invariant::{Invariant, Violation};
use super::not_checked::NotChecked;
use super::order_ends::OrderEnds;
use super::payments::Payments;

/// What history and ledger prove together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every invariant held.
    Pass,
    /// An invariant is broken.
    Fail,
    /// The evidence does not suffice for a conclusion. Never a pass.
    Unknown,
    /// No audit was wanted.
    NotAudited,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotAudited => "not_audited",
        })
    }
}

/// The audit of one run. Figures that could not be read are `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// The conclusion.
    pub verdict: Verdict,
    /// Why there is no conclusion, for [`Verdict::Unknown`] and [`Verdict::NotAudited`].
    pub because: Option<String>,
    /// Units at the opening.
    pub stock: Option<u64>,
    /// Units left, as the tested system reports them.
    pub stock_left: Option<i64>,
    /// Orders in the ledger, counted one by one.
    pub orders: Option<u64>,
    /// How many orders there are at the least and at the most: they differ while the decisions of
    /// some attempts are not known. `None` if nothing is known.
    #[serde(default)]
    pub bounds: Option<Bounds>,
    /// Orders above the stock, at the moment at which there were most: in the end or, at a sale
    /// that holds its orders, in a state that was read before some of them were given back.
    pub oversold: u64,
    /// Attempts of this run that were accepted.
    pub accepted: u64,
    /// Accepted attempts of this run that are not decided.
    pub unresolved: u64,
    /// Attempts of this run of which it is unknown whether they had an effect.
    pub unknown_outcomes: u64,
    /// Results that were asked for after the run, and how many of them were answered.
    #[serde(default)]
    pub results: Asked,
    /// Attempts that were sent again after the run since the ledger has them, and how many of them
    /// got a usable answer.
    #[serde(default)]
    pub sent_again: Asked,
    /// How the sale treated its buyers; `None` without a ledger.
    #[serde(default)]
    pub fairness: Option<Fairness>,
    /// Attempts that no consumer could decide; `None` without a ledger.
    #[serde(default)]
    pub dead_letters: Option<DeadLetters>,
    /// How the payments for held orders were answered; `None` if there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payments: Option<Payments>,
    /// What became of the orders; `None` without a ledger, and at a sale that holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_ends: Option<OrderEnds>,
    /// Invariants that were checked, as far as the evidence allows. The others were not, because
    /// evidence is missing.
    #[serde(default)]
    pub checked: Vec<Invariant>,
    /// Invariants that were not checked, since the source of the ledger cannot tell what they need;
    /// none if it tells everything.
    #[serde(default)]
    pub not_checked: Vec<NotChecked>,
    /// Invariants that do not hold.
    pub violations: Vec<Violation>,
}

impl Audit {
    /// Whether another reading of the ledger could show that nothing is broken.
    pub fn may_seem_broken(&self) -> bool {
        // A source of its own is no single answer, and may lag behind what buyers were told.
        let is_of_parts = !self.not_checked.is_empty();
        let mut violations = self.violations.iter();
        self.verdict == Verdict::Fail
            && violations.all(|of| is_of_parts || of.invariant.may_seem_broken())
    }

    /// Whether some of the orders above the stock were given back before the end.
    pub fn was_more_oversold(&self) -> bool {
        let orders = self.orders.zip(self.stock);
        orders.is_some_and(|(orders, stock)| orders.saturating_sub(stock) < self.oversold)
    }

    /// The audit of a run without a conclusion, with the reason.
    pub fn undecided(history: &History, because: String) -> Self {
        let unknown =
            history.entries.iter().filter(|entry| entry.answered == Answered::Unknown).count();
        let accepted = history.entries.len() - unknown;
        Self {
            verdict: Verdict::Unknown,
            because: Some(because),
            stock: None,
            stock_left: None,
            orders: None,
            bounds: None,
            oversold: 0,
            accepted: accepted as u64,
            unresolved: accepted as u64,
            unknown_outcomes: unknown as u64,
            results: history.asked,
            sent_again: history.sent_again,
            fairness: None,
            dead_letters: None,
            payments: Payments::of(history),
            order_ends: None,
            checked: Vec::new(),
            not_checked: Vec::new(),
            violations: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::invariant::Witnesses;
    use crate::judge::rules::tests::scene::Scene;

    #[test]
    fn orders_above_the_stock_are_there_in_the_end_or_were_given_back() {
        let audit = |orders, oversold| {
            let audit = Audit::undecided(&Scene::new().history, String::new());
            let (stock, orders) = (Some(10), Some(orders));
            Audit { stock, orders, oversold, ..audit }.was_more_oversold()
        };
        assert_eq!(
            [(12, 2), (12, 3), (9, 1), (10, 0)].map(|of| audit(of.0, of.1)),
            [false, true, true, false]
        );
    }

    #[test]
    fn audit_without_a_conclusion_counts_attempts() {
        let Audit { accepted, unresolved, unknown_outcomes, .. } =
            Audit::undecided(&Scene::new().history, String::new());
        assert_eq!((accepted, unresolved, unknown_outcomes), (5, 5, 1));
    }

    #[test]
    fn failure_may_only_seem_one_if_a_later_effect_can_explain_each_violation() {
        let may_seem = |verdict: Verdict, invariants: &[Invariant], is_of_parts: bool| {
            let violation = |invariant: &Invariant| {
                let mut broken = Witnesses::of(*invariant);
                broken.add("witness");
                broken.finish()
            };
            let violations = invariants.iter().filter_map(violation).collect();
            let (invariant, because) = (Invariant::TermsKept, String::new());
            let not_checked =
                if is_of_parts { vec![NotChecked { invariant, because }] } else { Vec::new() };
            let undecided = Audit::undecided(&Scene::new().history, String::new());
            Audit { verdict, violations, not_checked, ..undecided }.may_seem_broken()
        };
        let (late, certain) = (Invariant::ResultsTrue, Invariant::NeverOversold);
        assert!(may_seem(Verdict::Fail, &[late, Invariant::AcceptedDecided], false));
        assert!(!may_seem(Verdict::Fail, &[late, certain], false));
        // A source of its own may lag behind in everything.
        assert!(may_seem(Verdict::Fail, &[late, certain], true));
        assert!(!may_seem(Verdict::Unknown, &[], false));
    }

    #[test]
    fn verdict_is_printed_as_it_is_serialised() {
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Unknown, Verdict::NotAudited] {
            let word = serde_json::to_value(verdict).unwrap();
            assert_eq!(word, verdict.to_string());
        }
    }
}
