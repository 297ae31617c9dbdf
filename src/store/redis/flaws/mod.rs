//! The flawed ways of deciding, each in a file of its own, and which step each replaces. The flawed
//! rules are scripts; those that decide in several steps are not.

mod by_steps;
mod cache_refill_in_flight;
mod check_then_act;

use std::sync::LazyLock;

use crate::flaws::{Flaw, Flaws};

use super::ends::EndOrders;
use super::reserve::{Decide, Reserve};
use super::scripts::{Script, script};

static NO_DEDUPE: LazyLock<Script> = LazyLock::new(|| script(include_str!("no_dedupe.lua")));
static OFF_BY_ONE: LazyLock<Script> = LazyLock::new(|| script(include_str!("off_by_one.lua")));
static REFUND_TWICE: LazyLock<Script> = LazyLock::new(|| script(include_str!("refund_twice.lua")));
static DECREMENT_WITHOUT_REFUND: LazyLock<Script> =
    LazyLock::new(|| script(include_str!("decrement_without_refund.lua")));

static DOUBLE_REFUND: LazyLock<Script> =
    LazyLock::new(|| script(include_str!("double_refund.lua")));
static PAY_AFTER_EXPIRY: LazyLock<Script> =
    LazyLock::new(|| script(include_str!("pay_after_expiry.lua")));

/// The scripts that end orders with these flaws, of which at most one replaces one of them.
pub(super) fn end_orders(flaws: &Flaws) -> EndOrders {
    let standard = EndOrders::default();
    if flaws.has(Flaw::DoubleRefund) {
        EndOrders { one: &DOUBLE_REFUND, ..standard }
    } else if flaws.has(Flaw::PayAfterExpiry) {
        EndOrders { one: &PAY_AFTER_EXPIRY, ..standard }
    } else {
        standard
    }
}

/// The way of deciding that has these flaws, of which at most one replaces it; `check-then-act` may
/// go with `no-dedupe`.
pub(super) fn reserve(flaws: &Flaws) -> Reserve {
    let (racy, again) = (flaws.has(Flaw::CheckThenAct), flaws.has(Flaw::NoDedupe));
    let decide = match (racy, again) {
        (true, false) => Decide::BySteps(check_then_act::decide_once),
        (true, true) => Decide::BySteps(check_then_act::decide_each_delivery),
        (false, true) => Decide::ByScript(&NO_DEDUPE),
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
        Decide::BySteps(cache_refill_in_flight::decide)
    } else if flaws.has(Flaw::OffByOne) {
        Decide::ByScript(&OFF_BY_ONE)
    } else if flaws.has(Flaw::RefundTwice) {
        Decide::ByScript(&REFUND_TWICE)
    } else if flaws.has(Flaw::DecrementWithoutRefund) {
        Decide::ByScript(&DECREMENT_WITHOUT_REFUND)
    } else {
        Decide::default()
    }
}
