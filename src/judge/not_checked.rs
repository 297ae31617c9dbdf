//! [`NotChecked`]: invariants that cannot be checked, since the ledger's source cannot tell what
//! they need.

use serde::{Deserialize, Serialize};

use crate::history::{Answered, Tells};

use super::facts::Facts;
use super::invariant::Invariant;
use super::made::Made;

const NO_STOCK: &str = "neither the stock nor the units left are told";
const NO_LEFT: &str = "the units left are not told";
const NO_LIMIT: &str = "the number of orders that one buyer may have is not told";
const NO_NAMES: &str = "the orders' source has neither request ids nor buyers";
const NO_ATTEMPTS: &str = "the orders' source lists orders, and not all accepted attempts";
const NO_REQUEST_IDS: &str = "the orders' source has no request ids";
const NO_BUYERS: &str = "the orders' source has no buyers";
const NO_ORDER_IDS: &str = "the orders' source has no order ids";
const NO_POSITIONS: &str = "the orders' source has no positions";
const NO_TIMES: &str = "the orders' source has no times";
const NO_ITEMS: &str = "the orders' source has no items";
const NOT_ONCE: &str = "a request that is sent again may have another effect";
const NO_PAYMENTS: &str = "the orders' source does not tell of payments";
const NO_STATES: &str = "the tested system publishes no state of its sale";

/// An invariant that was not checked, since the source of the ledger cannot tell what it needs.
/// What the source does tell is looked at all the same: if that breaks the invariant, it is among
/// the violations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    /// The invariant.
    pub invariant: Invariant,
    /// What is not told.
    pub because: String,
}

impl NotChecked {
    /// All of them, in the order of the invariants.
    pub(super) fn of(facts: &Facts<'_>) -> Vec<Self> {
        let not_checked = |invariant: &Invariant| {
            let because = why(*invariant, facts.tells, facts.stock().is_some());
            // Attempts whose decisions were told are checked in any case.
            let is_undecided = |made: &Made<'_>| made.entry.answered == Answered::Accepted;
            let is_open = *invariant == Invariant::AcceptedKept && !facts.tells.attempts;
            let is_open = is_open && facts.accepted.iter().any(is_undecided);
            let because = because.or(is_open.then_some(NO_ATTEMPTS));
            let because = because.or_else(|| not_asked(*invariant, facts))?.to_owned();
            Some(Self { invariant: *invariant, because })
        };
        Invariant::ALL.iter().filter_map(not_checked).collect()
    }
}

/// Why nothing was there to check of a described shop.
fn not_asked(invariant: Invariant, facts: &Facts<'_>) -> Option<&'static str> {
    let history = facts.history;
    let has_results = !history.results.is_empty();
    let was_repeated = has_results || history.sent_again.wanted > 0;
    let was_repeated = was_repeated || !facts.answered_twice.is_empty();
    let (is_asked, because) = match invariant {
        Invariant::ResultsTrue => (has_results, "no result was asked for"),
        Invariant::IdsAnsweredOnce => (was_repeated, "no attempt was sent or asked for again"),
        Invariant::StockExpected => (history.expected_stock.is_some(), "no stock was stated"),
        _ => return None,
    };
    (!is_asked && !facts.tells.is_everything()).then_some(because)
}

/// Why an invariant cannot be checked; `None` if it can.
fn why(invariant: Invariant, tells: Tells, has_stock: bool) -> Option<&'static str> {
    let stock = (tells.stock, NO_LEFT);
    let limit = (tells.limit, NO_LIMIT);
    let names = (tells.names(), NO_NAMES);
    let attempts = (tells.attempts, NO_ATTEMPTS);
    let request_ids = (tells.request_ids, NO_REQUEST_IDS);
    let buyers = (tells.buyers, NO_BUYERS);
    let order_ids = (tells.order_ids, NO_ORDER_IDS);
    let positions = (tells.positions, NO_POSITIONS);
    let times = (tells.times, NO_TIMES);
    let items = (tells.items, NO_ITEMS);
    let states = (tells.states, NO_STATES);
    let needs: &[(bool, &'static str)] = match invariant {
        Invariant::NeverOversold => &[(has_stock, NO_STOCK)],
        Invariant::StockNeverNegative
        | Invariant::StockConserved
        | Invariant::StockExpected
        | Invariant::SoldOutTrue => &[stock],
        Invariant::OrderIdsUnique => &[order_ids],
        Invariant::RequestIdsUnique => &[request_ids, (tells.once, NOT_ONCE)],
        Invariant::BuyerLimit => &[limit, names],
        Invariant::OrdersWereSent => &[names],
        Invariant::RefusalsHold => &[names, (tells.once || tells.request_ids, NOT_ONCE)],
        Invariant::AnswersTrue | Invariant::ResultsTrue => {
            &[(tells.names() || tells.order_ids, NO_NAMES)]
        }
        Invariant::RefusalsTrue => &[limit, attempts, request_ids, buyers],
        Invariant::AcceptedDecided => &[attempts, request_ids],
        Invariant::RowsSane => &[attempts, request_ids, buyers, items, positions, times, stock],
        Invariant::WithinHours => &[request_ids, times],
        Invariant::TermsKept => &[stock, limit, states],
        Invariant::NoUnsoldStock => &[stock, limit, attempts, names],
        Invariant::ViewsAgree | Invariant::StockReadsBounded => &[
            states,
            attempts,
            request_ids,
            buyers,
            order_ids,
            items,
            positions,
            times,
            stock,
            limit,
        ],
        Invariant::IdsAnsweredOnce => &[(tells.once, NOT_ONCE)],
        Invariant::OrdersEndOnce | Invariant::DeadlinesHold => {
            &[(tells.is_everything(), NO_PAYMENTS)]
        }
        Invariant::AcceptedKept | Invariant::EarlierKept => &[],
    };
    needs.iter().find(|(is_told, _)| !is_told).map(|(_, because)| *because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_that_tells_everything_lets_all_be_checked() {
        for invariant in Invariant::ALL {
            assert_eq!(why(*invariant, Tells::EVERYTHING, true), None, "{invariant:?}");
        }
        let checked = Invariant::ALL.iter().filter(|one| why(**one, Tells::COUNT, false).is_none());
        let expected =
            [Invariant::IdsAnsweredOnce, Invariant::AcceptedKept, Invariant::EarlierKept];
        assert_eq!(checked.copied().collect::<Vec<_>>(), expected);
    }
}
