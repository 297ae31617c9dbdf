//! The flawed ways of deciding in the store of this process, each in a file of its own.

mod check_then_act;
mod no_dedupe;
mod unreliable;

use crate::flaws::{Flaw, Flaws};
use crate::sale;

use super::Ways;

/// The way of deciding that has these flaws.
pub(in crate::store) fn ways(flaws: &Flaws) -> Ways {
    let (racy, again) = (flaws.has(Flaw::CheckThenAct), flaws.has(Flaw::NoDedupe));
    let mut ways = Ways { rule: sale::rule_with(flaws), ..Ways::default() };
    match (racy, again) {
        (true, false) => check_then_act::decide_once(&mut ways),
        (true, true) => check_then_act::decide_each_delivery(&mut ways),
        (false, true) => ways.reserve = Some(no_dedupe::reserve),
        (false, false) => {}
    }
    if flaws.has(Flaw::AckOnError) || flaws.has(Flaw::AckBeforeApply) {
        ways.interrupt = Some(unreliable::interrupt);
    }
    ways
}
