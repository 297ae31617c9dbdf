//! The flawed rules by which a store in this process decides, each in a file of its own.

pub mod check_then_act;
mod decrement_without_refund;
mod off_by_one;
mod refund_twice;

use crate::flaws::{Flaw, Flaws};

use super::Rule;

/// The rule that has these flaws, of which at most one replaces the standard rule.
pub fn rule(flaws: &Flaws) -> Rule {
    let mut rule = Rule::default();
    if flaws.has(Flaw::OffByOne) {
        rule.decide = off_by_one::reserve;
    } else if flaws.has(Flaw::RefundTwice) {
        rule.decide = refund_twice::reserve;
    } else if flaws.has(Flaw::DecrementWithoutRefund) {
        rule.decide = decrement_without_refund::reserve;
    }
    rule
}
