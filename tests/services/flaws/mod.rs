//! The audit finds each flaw on a real RabbitMQ and a real Redis, and the hardened design passes
//! the same load.

#![allow(clippy::print_stdout, reason = "the figures of a flaw are worth reading")]

mod bench;
mod connections;
mod lost_attempts;
mod oversell;
mod redelivery;
mod resend;

use seckill::judge::{Audit, Invariant, Verdict};
use seckill::stats::Summary;

/// Asserts that the audit fails and names this invariant with a witness.
#[track_caller]
fn assert_found(audit: &Audit, invariant: Invariant) {
    let broken = audit.violations.iter().find(|violation| violation.invariant == invariant);
    assert_eq!(audit.verdict, Verdict::Fail, "{audit:#?}");
    let broken =
        broken.unwrap_or_else(|| panic!("{} is not named: {audit:#?}", invariant.as_str()));
    assert!(!broken.witnesses.is_empty(), "{audit:#?}");
}

/// The number of requests with this outcome.
fn count(summary: &Summary, outcome: &str) -> u64 {
    let found = summary.by_outcome.iter().find(|(known, _)| known.as_str() == outcome);
    found.map_or(0, |(_, count)| *count)
}
