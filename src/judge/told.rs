//! Judging a run by what buyers were told alone, if the ledger after it is not known.

use std::collections::HashMap;

use crate::history::{History, Ledger, SaleTerms, SaleView};
use crate::ids::{OrderId, RequestId};

use super::bounds::Bounds;
use super::certain::{CertainOrder, certain_orders};
use super::facts::Facts;
use super::invariant::{Invariant, Witnesses};
use super::reconcile::violations;
use super::rules;
use super::verdict::{Audit, Verdict};

/// Judges by what buyers were told alone: more orders than units are too many without any ledger,
/// and answers and states can contradict each other.
pub(super) fn without_ledger(history: &History, because: String) -> Audit {
    let undecided = Audit::undecided(history, because);
    let Some(sale) = sale_without_ledger(history) else { return undecided };
    let is_stock_told = history.tells_before.stock || history.sale_before.is_none();
    let stock = if is_stock_told { Some(sale.stock) } else { history.expected_stock };
    let Some(stock) = stock else { return undecided };
    // Whether units were left at the end is not known.
    let ledger = Ledger {
        sale: SaleTerms { stock_left: 0, ..sale },
        rows: Vec::new(),
        is_miscounted: false,
        tells: history.tells_before,
    };
    let mut facts = Facts::gather(history, &ledger, false);
    facts.has_ledger = false;
    if facts.is_replaced {
        // An order may be of either sale.
        return undecided;
    }
    let orders = certain_orders(history, facts.ledger.sale.hold_us);
    let over = (orders.len() as u64).saturating_sub(stock);
    let (rules, of_answers) = match (history.is_empty(), facts.tells.is_everything()) {
        (true, _) => (&[][..], &[][..]),
        (false, true) => (rules::WITHOUT_LEDGER, rules::OF_ANSWERS),
        (false, false) => (rules::WITHOUT_LEDGER, &[][..]),
    };
    let found = [oversold(&orders, over), shared_orders(history)].into_iter();
    let found = found.chain(rules.iter().map(|rule| rule(&facts)));
    let found = found.chain(of_answers.iter().map(|rule| rule(&facts, &orders)));
    let (checked, not_checked, violations) = violations(&facts, found);
    let bounds = Some(Bounds::of_answers(history, orders.len()));
    let stock = Some(stock);
    let audit = Audit { stock, bounds, oversold: over, checked, not_checked, ..undecided };
    if violations.is_empty() {
        return audit;
    }
    let orders = (over > 0).then_some(orders.len() as u64);
    Audit { verdict: Verdict::Fail, because: None, orders, violations, ..audit }
}

/// The sale, as its first state or the ledger before the run shows it.
fn sale_without_ledger(history: &History) -> Option<SaleTerms> {
    let of_view = history.views.iter().next().map(|view| {
        let SaleView { item, epoch, stock, stock_left, per_buyer, .. } = view.sale.clone();
        let SaleView { hours, hold_us, .. } = view.sale;
        let per_buyer = per_buyer.unwrap_or(u32::MAX);
        SaleTerms { item: item.into(), epoch, stock, stock_left, per_buyer, hours, hold_us }
    });
    history.sale_before.clone().or(of_view)
}

/// The orders above the stock.
fn oversold(orders: &[CertainOrder<'_>], over: u64) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::NeverOversold);
    let over = usize::try_from(over).unwrap_or(usize::MAX);
    for CertainOrder { order_id, attempt, .. } in &orders[orders.len().saturating_sub(over)..] {
        match order_id {
            Some(order_id) if order_id.is_told() => broken.add(order_id),
            _ => broken.add(attempt),
        }
    }
    broken
}

/// Orders that were told of two attempts.
fn shared_orders(history: &History) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::OrderIdsUnique);
    let mut attempt_of: HashMap<&OrderId, RequestId> = HashMap::new();
    for (order_id, attempt, _) in history.told_orders() {
        let is_other =
            order_id.is_told() && *attempt_of.entry(order_id).or_insert(attempt) != attempt;
        broken.add_if(is_other, order_id);
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Answered, Payment, PaymentAnswer, Tells};
    use crate::judge::rules::tests::scene::{Scene, order_id};

    fn judge(scene: &Scene) -> Audit {
        without_ledger(&scene.history, "status 500".to_owned())
    }

    #[test]
    fn order_with_an_id_is_one_of_all_attempts_and_without_an_id_one_of_each() {
        for (order, expected) in [(order_id(1), 1), (OrderId::untold(), 4)] {
            let mut scene = Scene::new();
            for number in 0..4 {
                scene.entry(number).answered = Answered::Won(Box::new(order.clone()));
            }
            let audit = judge(&scene);
            assert_eq!(audit.bounds.map(|bounds| bounds.orders_min), Some(expected), "{order}");
            assert_eq!(audit.oversold, expected.saturating_sub(3), "{order}");
        }
        let witnesses = |orders: [OrderId; 5]| {
            let mut scene = Scene::new();
            for (number, order) in orders.into_iter().enumerate() {
                scene.entry(number).answered = Answered::Won(Box::new(order));
            }
            judge(&scene).violations[0].witnesses.clone()
        };
        let named = witnesses([1, 2, 3, 4, 5].map(order_id));
        assert_eq!(named, [order_id(4).to_string(), order_id(5).to_string()]);
        let scene = Scene::new();
        let attempts = [scene.id(3).to_string(), scene.id(4).to_string()];
        assert_eq!(witnesses(std::array::from_fn(|_| OrderId::untold())), attempts);
    }

    #[test]
    fn audit_names_what_was_checked_without_a_ledger() {
        let mut scene = Scene::new();
        let checked = vec![
            Invariant::NeverOversold,
            Invariant::StockNeverNegative,
            Invariant::StockConserved,
            Invariant::OrderIdsUnique,
            Invariant::BuyerLimit,
            Invariant::SoldOutTrue,
            Invariant::RefusalsTrue,
            Invariant::IdsAnsweredOnce,
            Invariant::AcceptedDecided,
            Invariant::ResultsTrue,
            Invariant::ViewsAgree,
            Invariant::StockReadsBounded,
            Invariant::OrdersEndOnce,
            Invariant::DeadlinesHold,
        ];
        let audit = judge(&scene);
        assert_eq!((audit.checked, audit.not_checked), (checked, vec![]));
        scene.history.tells_before = Tells { stock: true, ..Tells::COUNT };
        let audit = judge(&scene);
        assert_eq!(audit.checked, [Invariant::NeverOversold, Invariant::SoldOutTrue]);
        let not_checked: Vec<_> = audit.not_checked.iter().map(|not| not.invariant).collect();
        assert!(not_checked.contains(&Invariant::ViewsAgree), "{not_checked:?}");
        assert!(not_checked.contains(&Invariant::IdsAnsweredOnce), "{not_checked:?}");
    }

    #[test]
    fn attempts_that_were_paid_for_are_orders_though_they_were_told_of_the_same_one() {
        let mut scene = Scene::new();
        scene.history.sale_before.as_mut().unwrap().hold_us = Some(1);
        for number in 0..6 {
            scene.entry(number).answered = Answered::Won(Box::new(order_id(1)));
            let request_id = scene.id(number);
            let (answered, sent_us, answered_us) = (PaymentAnswer::Paid, 200_000, 210_000);
            scene.history.payments.push(Payment {
                request_id,
                answered,
                told: None,
                sent_us,
                answered_us,
            });
        }
        let audit = judge(&scene);
        assert_eq!((audit.verdict, audit.oversold), (Verdict::Fail, 3));
        let mut found = audit.violations.into_iter();
        let oversold = found.find(|found| found.invariant == Invariant::NeverOversold).unwrap();
        assert_eq!((oversold.count, oversold.witnesses.len()), (3, 3));
        assert!(oversold.witnesses.iter().all(|id| id.parse::<RequestId>().is_ok()));
    }
}
