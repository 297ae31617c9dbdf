//! The rules, one for each invariant. A rule names the witnesses against its invariant, and looks
//! at nothing but the facts.

mod answers;
mod ledger;
mod stock;

use super::facts::Facts;
use super::invariant::Witnesses;

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
    ledger::refusals_hold,
    ledger::accepted_kept,
    ledger::accepted_decided,
    ledger::earlier_kept,
    ledger::stock_expected,
    ledger::terms_kept,
    answers::answers_true,
    answers::results_true,
];

/// The rules that need no attempt of this run.
pub(super) const OF_STOCK: &[fn(&Facts<'_>) -> Witnesses] = &[
    stock::never_oversold,
    stock::stock_never_negative,
    stock::buyer_limit,
    ledger::order_ids_unique,
    ledger::request_ids_unique,
    ledger::stock_expected,
];
