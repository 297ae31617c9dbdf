//! The rules, one for each invariant. A rule names the witnesses against its invariant, and looks
//! at nothing but the facts. It is silent where evidence is missing: no right system is accused.

mod answers;
mod decided;
mod holds;
mod hours;
pub(super) mod kept;
mod ledger;
mod limit;
mod losses;
mod once;
mod orders;
mod paid_reads;
mod queued;
mod reads;
mod refusals;
mod results;
mod rows;
mod sold_out;
mod stock;
#[cfg(test)]
pub(super) mod tests;
mod time;
mod views;
mod without_ledger;
mod words;

use super::certain::CertainOrder;
use super::facts::Facts;
use super::invariant::Witnesses;

pub(super) use holds::LATE_US;

/// All rules.
pub(super) const ALL: &[fn(&Facts<'_>) -> Witnesses] = &[
    stock::never_oversold,
    stock::stock_never_negative,
    stock::stock_conserved,
    stock::buyer_limit,
    stock::no_unsold_stock,
    ledger::order_ids_unique,
    ledger::request_ids_unique,
    ledger::orders_were_sent,
    ledger::accepted_kept,
    ledger::earlier_kept,
    ledger::stock_expected,
    ledger::terms_kept,
    refusals::refusals_hold,
    refusals::refusals_true,
    sold_out::sold_out_true,
    decided::accepted_decided,
    answers::answers_true,
    results::results_true,
    once::ids_answered_once,
    rows::rows_sane,
    time::within_hours,
    views::views_agree,
    reads::stock_reads_bounded,
    holds::orders_end_once,
    holds::deadlines_hold,
];

/// The rules that need no rows of a ledger.
pub(super) const WITHOUT_LEDGER: &[fn(&Facts<'_>) -> Witnesses] =
    &[once::ids_answered_once, views::views_agree, sold_out::sold_out_true];

/// Further ones at a system whose ledger tells everything, given the orders that are certain.
pub(super) const OF_ANSWERS: &[fn(&Facts<'_>, &[CertainOrder<'_>]) -> Witnesses] = &[
    |facts, _| stock::stock_never_negative(facts),
    |facts, _| stock::states_add_up(facts),
    without_ledger::buyer_limit,
    without_ledger::stock_reads_bounded,
    |facts, _| without_ledger::refusals_true(facts),
    |facts, _| without_ledger::results_true(facts),
    |facts, _| without_ledger::accepted_decided(facts),
    |facts, _| holds::told_ends_agree(facts),
    |facts, _| without_ledger::deadlines_hold(facts),
];

/// The rules that hold for attempts of a sale that was replaced and of the one that replaced it.
pub(super) const OF_REPLACED: &[fn(&Facts<'_>) -> Witnesses] = &[
    stock::never_oversold,
    stock::stock_never_negative,
    stock::buyer_limit,
    ledger::order_ids_unique,
    ledger::request_ids_unique,
    ledger::accepted_kept,
    ledger::stock_expected,
    once::ids_answered_once,
    views::views_agree,
];
