//! The flawed ways of deciding, each in a file of its own, and which step each replaces.

mod by_steps;
mod cache_refill_in_flight;
mod check_then_act;
mod decrement_without_refund;
mod no_dedupe;
mod off_by_one;
mod refund_twice;

use crate::flaws::{Flaw, Flaws};

use super::reserve::{Decide, Reserve};

/// The way of deciding that has these flaws, of which at most one replaces it; `check-then-act` may
/// go with `no-dedupe`.
pub(super) fn reserve(flaws: &Flaws) -> Reserve {
    let (racy, again) = (flaws.has(Flaw::CheckThenAct), flaws.has(Flaw::NoDedupe));
    let decide = match (racy, again) {
        (true, false) => Decide::Replaced(check_then_act::decide_once),
        (true, true) => Decide::Replaced(check_then_act::decide_each_delivery),
        (false, true) => Decide::Replaced(no_dedupe::decide),
        (false, false) => other_way(flaws),
    };
    let mut reserve = Reserve { decide, prepare: None };
    if racy {
        reserve.prepare = Some(check_then_act::prepare);
    }
    reserve
}

fn other_way(flaws: &Flaws) -> Decide {
    if flaws.has(Flaw::CacheRefillInFlight) {
        Decide::Replaced(cache_refill_in_flight::decide)
    } else if flaws.has(Flaw::OffByOne) {
        Decide::Replaced(off_by_one::decide)
    } else if flaws.has(Flaw::RefundTwice) {
        Decide::Replaced(refund_twice::decide)
    } else if flaws.has(Flaw::DecrementWithoutRefund) {
        Decide::Replaced(decrement_without_refund::decide)
    } else {
        Decide::Atomic
    }
}
