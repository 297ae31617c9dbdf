//! Each flaw alone is found by the auditor, on a real RabbitMQ and a real Redis; and the hardened
//! design passes the same treatment. What is not installed here is skipped, and said to be.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so when it fails")]
#![allow(clippy::print_stdout, reason = "what a flaw did this time is worth reading")]
#![allow(dead_code, unused_imports, reason = "other tests use more of the support")]

mod support;

#[path = "support/broker.rs"]
mod broker;
#[path = "support/child.rs"]
mod child;
#[path = "support/client.rs"]
mod client;
#[path = "support/site.rs"]
mod site;

#[path = "flaws/bench.rs"]
mod bench;
#[path = "flaws/connections.rs"]
mod connections;
#[path = "flaws/lost.rs"]
mod lost;
#[path = "flaws/oversell.rs"]
mod oversell;
#[path = "flaws/redelivery.rs"]
mod redelivery;

use seckill::audit::{Audit, Invariant, Verdict};
use seckill::stats::Summary;

/// The audit must have found this, and so be no pass.
#[track_caller]
fn assert_found(audit: &Audit, invariant: Invariant) {
    let broken = audit.violations.iter().find(|violation| violation.invariant == invariant);
    assert_eq!(audit.verdict, Verdict::Fail, "{audit:#?}");
    let broken =
        broken.unwrap_or_else(|| panic!("{} is not named: {audit:#?}", invariant.as_str()));
    assert!(!broken.witnesses.is_empty(), "{audit:#?}");
}

/// How many attempts came out so.
fn count(summary: &Summary, outcome: &str) -> u64 {
    let found = summary.by_outcome.iter().find(|(word, _)| *word == outcome);
    found.map_or(0, |(_, count)| *count)
}
