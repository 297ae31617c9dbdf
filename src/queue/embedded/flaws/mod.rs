//! The flawed ways of delivering, each in a file of its own.

mod check_then_act;
mod no_dedupe;

use crate::flaws::{Flaw, Flaws};

use super::Delivery;

/// The way of delivering that lets these flaws show.
pub(in crate::queue) fn delivery(flaws: &Flaws) -> Delivery {
    let mut delivery = Delivery::default();
    if flaws.has(Flaw::CheckThenAct) {
        check_then_act::deliver_concurrently(&mut delivery);
    }
    if flaws.has(Flaw::NoDedupe) {
        no_dedupe::deliver_again(&mut delivery);
    }
    delivery
}
