//! [`reconcile`]: every invariant, checked against history and ledger. Pure; its time is linear in
//! the size of both.

use crate::history::{History, Ledger};

use super::bounds::Bounds;
use super::dead_letters::DeadLetters;
use super::explain::explain;
use super::facts::{Facts, is_same_sale};
use super::fairness::fairness;
use super::invariant::{Invariant, Violation, Witnesses};
use super::not_checked::NotChecked;
use super::order_ends::OrderEnds;
use super::payments::Payments;
use super::rules;
use super::unaccounted::unaccounted;
use super::verdict::{Audit, Verdict};

const NO_STOCK: &str = "the stock is not known, so no oversell can be seen";

const REPLACED: &str = "another sale of the item was opened during the run";

/// Judges a run by the answers to its clients and by the ledger after it.
///
/// `settled` says that nothing was queued when the ledger was read. If attempts were queued, a
/// missing decision breaks no invariant, but the run does not pass either.
pub fn reconcile(history: &History, ledger: &Ledger, settled: bool) -> Audit {
    if let Some(before) = &history.sale_before
        && !is_same_sale(before.epoch, ledger.sale.epoch)
    {
        return of_another_sale(history, before.epoch, ledger.sale.epoch);
    }
    let facts = Facts::gather(history, ledger, settled);
    let rules = if facts.is_replaced { rules::OF_REPLACED } else { rules::ALL };
    let (checked, not_checked, violations) =
        violations(&facts, rules.iter().map(|rule| rule(&facts)));
    let unknown = |because: &str| (Verdict::Unknown, Some(because.to_owned()));
    let (verdict, because) = match (violations.is_empty(), facts.is_replaced, settled) {
        (false, ..) => (Verdict::Fail, None),
        (true, true, _) => unknown(REPLACED),
        (true, false, true) if facts.stock().is_none() => unknown(NO_STOCK),
        (true, false, true) => match unaccounted(&facts) {
            Some(because) => unknown(&because),
            None => (Verdict::Pass, None),
        },
        (true, false, false) => unknown("attempts were still queued"),
    };
    // Losses, and which attempt a row is of, are needed for figures of single attempts.
    let has_attempts = facts.tells.attempts && facts.tells.request_ids;
    Audit {
        verdict,
        because,
        stock: facts.stock(),
        stock_left: facts.tells.stock.then_some(ledger.sale.stock_left),
        orders: Some((facts.kept.len() + facts.only_told_kept().len()) as u64),
        bounds: Some(Bounds::of_ledger(&facts)),
        oversold: facts.oversold(),
        accepted: facts.accepted.len() as u64,
        unresolved: facts.unresolved().count() as u64,
        unknown_outcomes: facts.unknown.len() as u64,
        results: history.asked,
        sent_again: history.sent_again,
        fairness: has_attempts.then(|| fairness(&facts)),
        dead_letters: has_attempts.then(|| DeadLetters::of_ledger(&facts)),
        payments: Payments::of(history),
        order_ends: OrderEnds::of(ledger),
        checked,
        not_checked,
        violations,
    }
}

/// The invariants that were checked, those that the ledger's source does not allow to check, and
/// what is broken with explanations, each in the order of the invariants.
pub(super) fn violations(
    facts: &Facts<'_>,
    checked: impl Iterator<Item = Witnesses>,
) -> (Vec<Invariant>, Vec<NotChecked>, Vec<Violation>) {
    let witnesses: Vec<Witnesses> = checked.collect();
    let not_checked = NotChecked::of(facts);
    let is_checked = |of: &Invariant| not_checked.iter().all(|not| not.invariant != *of);
    let checked = witnesses.iter().map(Witnesses::invariant).filter(is_checked);
    let mut checked: Vec<Invariant> = checked.collect();
    checked.sort();
    let found = witnesses.into_iter().filter_map(Witnesses::finish);
    let mut violations: Vec<Violation> = found.collect();
    violations.sort_by_key(|violation| violation.invariant);
    explain(facts, &mut violations);
    (checked, not_checked, violations)
}

/// Judges a run after which another sale's ledger was given than before it. If the states show an
/// epoch, both are asked for by the same one, so one of them answers no question.
fn of_another_sale(history: &History, before: u64, after: u64) -> Audit {
    let undecided = Audit::undecided(history, REPLACED.to_owned());
    if history.views.iter().all(|view| view.sale.epoch == 0) {
        return undecided;
    }
    let mut broken = Witnesses::of(Invariant::ViewsAgree);
    broken.add(format_args!("the same ledger was asked for, and epochs {before} and {after} came"));
    let violations = broken.finish().into_iter().collect();
    let checked = vec![Invariant::ViewsAgree];
    Audit { verdict: Verdict::Fail, because: None, checked, violations, ..undecided }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Tells;
    use crate::judge::rules::tests::scene::Scene;

    #[test]
    fn ledger_of_another_sale_than_the_states_show_is_wrong() {
        let mut scene = Scene::new();
        scene.ledger.sale.epoch = 2;
        let wrong = reconcile(&scene.history, &scene.ledger, true);
        assert_eq!((wrong.verdict, wrong.because), (Verdict::Fail, None));
        assert_eq!(wrong.violations[0].invariant, Invariant::ViewsAgree);
        assert_eq!(wrong.checked, [Invariant::ViewsAgree]);
        scene.change_views(|_, sale| sale.epoch = 2);
        assert_eq!(reconcile(&scene.history, &scene.ledger, true).verdict, Verdict::Fail);
        scene.change_views(|_, sale| sale.epoch = 0);
        let replaced = reconcile(&scene.history, &scene.ledger, true);
        assert_eq!((replaced.verdict, &replaced.violations[..]), (Verdict::Unknown, &[][..]));
    }

    #[test]
    fn figures_of_single_attempts_need_all_attempts_and_their_ids() {
        let mut scene = Scene::new();
        for (attempts, request_ids) in [(true, true), (true, false), (false, true), (false, false)]
        {
            let tells = Tells { attempts, request_ids, ..Tells::EVERYTHING };
            scene.ledger.tells = tells;
            let audit = reconcile(&scene.history, &scene.ledger, true);
            let expected = attempts && request_ids;
            assert_eq!(audit.fairness.is_some(), expected, "{tells:?}");
            assert_eq!(audit.dead_letters.is_some(), expected, "{tells:?}");
        }
    }
}
