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
    use crate::history::Asked;
    use crate::judge::rules::tests::scene::Scene;

    /// A right run at a shop of which the positions of attempts are not told.
    fn described() -> Scene {
        let mut scene = Scene::new();
        scene.ledger.tells.positions = false;
        scene
    }

    /// Why this invariant is not checked.
    fn because(scene: &Scene, invariant: Invariant) -> Option<String> {
        let facts = Facts::gather(&scene.history, &scene.ledger, true);
        let mut not_checked = NotChecked::of(&facts).into_iter();
        not_checked.find(|not| not.invariant == invariant).map(|not| not.because)
    }

    #[test]
    fn accepted_attempts_are_not_all_checked_where_some_are_neither_decided_nor_listed() {
        let mut scene = described();
        assert_eq!(because(&scene, Invariant::AcceptedKept), None);
        scene.ledger.tells.attempts = false;
        assert_eq!(because(&scene, Invariant::AcceptedKept).as_deref(), Some(NO_ATTEMPTS));
        scene.history.entries.retain(|entry| entry.answered != Answered::Accepted);
        assert_eq!(because(&scene, Invariant::AcceptedKept), None);
    }

    #[test]
    fn invariant_of_a_described_shop_is_not_checked_if_nothing_was_asked_for_it() {
        let asked = |change: &dyn Fn(&mut Scene)| {
            let mut scene = described();
            change(&mut scene);
            let invariants =
                [Invariant::ResultsTrue, Invariant::IdsAnsweredOnce, Invariant::StockExpected];
            invariants.map(|invariant| because(&scene, invariant).is_none())
        };
        assert_eq!(asked(&|_| {}), [false, false, false]);
        assert_eq!(asked(&|scene| scene.read(0, None, (1, 2))), [true, true, false]);
        let send_again = |scene: &mut Scene| {
            scene.history.sent_again = Asked { wanted: 2, answered: 2 };
        };
        assert_eq!(asked(&send_again), [false, true, false]);
        let answer_twice = |scene: &mut Scene| {
            let entry = scene.entry(0).clone();
            scene.history.entries.push(entry);
        };
        assert_eq!(asked(&answer_twice), [false, true, false]);
        assert_eq!(asked(&|scene| scene.history.expected_stock = Some(3)), [false, false, true]);
        // The built-in API is asked for nothing that is missing.
        assert_eq!(asked(&|scene| scene.ledger.tells = Tells::EVERYTHING), [true, true, true]);
    }

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

    #[test]
    fn refused_attempts_are_checked_where_their_rows_have_ids_or_each_has_one_effect() {
        let tells = Tells { once: false, ..Tells::EVERYTHING };
        assert_eq!(why(Invariant::RefusalsHold, tells, true), None);
        let tells = Tells { request_ids: false, ..tells };
        assert_eq!(why(Invariant::RefusalsHold, tells, true), Some(NOT_ONCE));
        let tells = Tells { once: true, ..tells };
        assert_eq!(why(Invariant::RefusalsHold, tells, true), None);
    }

    #[test]
    fn answers_are_checked_where_orders_have_ids_or_names() {
        let order_ids = Tells { order_ids: true, ..Tells::COUNT };
        let buyers = Tells { buyers: true, ..Tells::COUNT };
        for (tells, expected) in [(order_ids, None), (buyers, None), (Tells::COUNT, Some(NO_NAMES))]
        {
            assert_eq!(why(Invariant::AnswersTrue, tells, true), expected, "{tells:?}");
        }
    }
}
