//! The flawed ways of deciding, each in a file of its own, and which step each replaces.

mod check_then_act;
mod no_dedupe;

use crate::flaws::{Flaw, Flaws};

use super::reserve::{Decide, Reserve};

/// The way of deciding that has these flaws.
pub(super) fn reserve(flaws: &Flaws) -> Reserve {
    let (racy, again) = (flaws.has(Flaw::CheckThenAct), flaws.has(Flaw::NoDedupe));
    let decide = match (racy, again) {
        (false, false) => Decide::Atomic,
        (false, true) => Decide::Replaced(no_dedupe::decide),
        (true, false) => Decide::Replaced(check_then_act::decide_once),
        (true, true) => Decide::Replaced(check_then_act::decide_each_delivery),
    };
    let mut reserve = Reserve { decide, prepare: None };
    if racy {
        reserve.prepare = Some(check_then_act::prepare);
    }
    reserve
}
