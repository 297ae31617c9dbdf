//! The flawed rules by which a store in this process decides, each in a file of its own.

pub mod check_then_act;
mod decrement_without_refund;
mod double_refund;
mod off_by_one;
mod pay_after_expiry;
mod refund_twice;

use crate::flaws::{Flaw, Flaws};

use super::Rule;

/// The rules that have these flaws, of which at most one replaces each standard rule.
pub fn rule(flaws: &Flaws) -> Rule {
    let mut rule = Rule::default();
    if flaws.has(Flaw::OffByOne) {
        rule.decide = off_by_one::reserve;
    } else if flaws.has(Flaw::RefundTwice) {
        rule.decide = refund_twice::reserve;
    } else if flaws.has(Flaw::DecrementWithoutRefund) {
        rule.decide = decrement_without_refund::reserve;
    }
    if flaws.has(Flaw::DoubleRefund) {
        rule.end = double_refund::end_order;
    } else if flaws.has(Flaw::PayAfterExpiry) {
        rule.end = pay_after_expiry::end_order;
    }
    rule
}
