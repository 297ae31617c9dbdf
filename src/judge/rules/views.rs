//! The state of the sale that everybody sees: it agrees with itself, with the other states, and
//! with the ledger.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use crate::history::{Hours, NoState, Row, SaleView, Status, View};
use crate::judge::facts::{Facts, is_same_sale};
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::sums::adds_up;

use super::holds::LATE_US;
use super::hours::CLOCKS_APART_US;
use super::queued::queued_agree;
use super::words::words_agree;

/// Checks that the terms of the sale are the same in all its states and in the ledgers, and that
/// the last state shows as many orders as the ledger.
pub(super) fn views_agree(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::ViewsAgree);
    if !facts.tells.states {
        return broken;
    }
    let history = facts.history;
    let mut terms = Terms { item: Some(history.item.as_str()), ..Terms::default() };
    let sale = &facts.ledger.sale;
    for terms_of in history.sale_before.iter().chain([sale]) {
        let shown = Terms {
            item: Some(&terms_of.item),
            // `terms_kept` compares these two of the ledgers.
            stock: Some(sale.stock).filter(|_| facts.tells.stock),
            per_buyer: Some(sale.per_buyer).filter(|_| facts.tells.limit),
            hold_us: terms_of.hold_us,
            hours: terms_of.hours,
        };
        terms.compare(&shown, &mut broken);
    }
    for view in facts.views() {
        terms.compare(&Terms::of(&view.sale), &mut broken);
    }
    let ledgers = history.sale_before.iter().chain([sale]);
    if let Some(hold_us) = terms.hold_us
        && ledgers.filter(|_| facts.tells.is_everything()).any(|terms| terms.hold_us.is_none())
    {
        broken.add(format_args!("no hold in a ledger, and elsewhere {hold_us}"));
    }
    for hours in facts.views().map(|view| view.sale.hours).chain([sale.hours]) {
        both_hours(hours, terms.hours, &mut broken);
    }
    for NoState { status, sent_us } in history.views.no_states() {
        let ms = sent_us / 1_000;
        broken.add(format_args!("status {status} at {ms} ms, and no state of the sale"));
    }
    words_agree(facts, &mut broken);
    fresh_sale(facts, &mut broken);
    epochs_rise(facts, &mut broken);
    if !facts.tells.is_everything() {
        return broken;
    }
    queued_agree(facts, &mut broken);
    if let Some(last) = history.views.iter().next_back() {
        last_agrees(facts, last, &mut broken);
    }
    broken
}

/// The terms of a sale, as far as they are shown.
#[derive(Debug, Default, Clone, Copy)]
struct Terms<'a> {
    item: Option<&'a str>,
    stock: Option<u64>,
    per_buyer: Option<u32>,
    hold_us: Option<u64>,
    hours: Hours,
}

impl<'a> Terms<'a> {
    fn of(view: &'a SaleView) -> Self {
        Self {
            item: Some(&view.item),
            stock: Some(view.stock),
            per_buyer: view.per_buyer,
            hold_us: view.hold_us,
            hours: view.hours,
        }
    }

    /// Compares terms that were shown with these, and adds those that were not shown before.
    fn compare(&mut self, shown: &Self, broken: &mut Witnesses) {
        same("item", &mut self.item, shown.item, broken);
        same("stock", &mut self.stock, shown.stock, broken);
        same("hold", &mut self.hold_us, shown.hold_us, broken);
        same("limit per buyer", &mut self.per_buyer, shown.per_buyer, broken);
        same("opening", &mut self.hours.opens_us, shown.hours.opens_us, broken);
        same("closing", &mut self.hours.closes_us, shown.hours.closes_us, broken);
    }
}

fn same<T: PartialEq + Display + Copy>(
    name: &str,
    known: &mut Option<T>,
    shown: Option<T>,
    broken: &mut Witnesses,
) {
    let Some(shown) = shown else { return };
    let known = *known.get_or_insert(shown);
    if known != shown {
        broken.add(format_args!("{name} {shown}, and elsewhere {known}"));
    }
}

/// A sale that shows one of its hours shows the other as well, if it has it.
fn both_hours(shown: Hours, known: Hours, broken: &mut Witnesses) {
    match (shown.opens_us, shown.closes_us, known) {
        (Some(_), None, Hours { closes_us: Some(us), .. }) => {
            broken.add(format_args!("an opening without the closing {us} that is shown elsewhere"));
        }
        (None, Some(_), Hours { opens_us: Some(us), .. }) => {
            broken.add(format_args!("a closing without the opening {us} that is shown elsewhere"));
        }
        _ => {}
    }
}

/// A fresh sale has a higher epoch than those before it.
fn epochs_rise(facts: &Facts<'_>, broken: &mut Witnesses) {
    let numbered = facts.history.views.iter().filter(|view| view.sale.epoch > 0);
    let mut highest: Option<&View> = None;
    for view in numbered {
        let epoch = view.sale.epoch;
        let before = highest.filter(|before| before.answered_us < view.sent_us);
        if let Some(before) = before.filter(|before| before.sale.epoch > epoch) {
            broken.add(format_args!("epoch {epoch} after {}", before.sale.epoch));
            // All that follow are lower, too.
            return;
        }
        if highest.is_none_or(|highest| epoch >= highest.sale.epoch) {
            highest = Some(view);
        }
    }
}

/// A sale that was opened for the run has a higher epoch than the one before it, and the hours that
/// were asked for: none.
fn fresh_sale(facts: &Facts<'_>, broken: &mut Witnesses) {
    let views = || facts.history.views.iter();
    let Some(opened) = views().find(|view| view.sale.opened) else { return };
    let epoch = opened.sale.epoch;
    let before = views().take_while(|view| !view.sale.opened);
    if let Some(before) = before.last().filter(|before| before.sale.epoch == epoch) {
        broken.add(format_args!("epoch {epoch} of a fresh sale after {}", before.sale.epoch));
    }
    for row in earlier_rows(facts, opened) {
        broken.add(format_args!("{}: accepted before the fresh sale was opened", row.request_id));
    }
    let Some(hours) = facts.hours() else { return };
    if let Some(closes_us) = hours.closes_us {
        broken.add(format_args!("closes at {closes_us}, and no closing was asked for"));
    }
    let opens_us = hours.opens_us.zip(facts.clock);
    if let Some(late) = opens_us.map(|(us, clock)| clock.earliest_moment(us))
        && late > opened.answered_us.saturating_add(CLOCKS_APART_US)
    {
        broken.add(format_args!("opens at {} ms, and no opening was asked for", late / 1_000));
    }
}

/// Rows of the ledger before the run that are older than this fresh sale, however far clocks
/// differ.
fn earlier_rows<'a>(facts: &Facts<'a>, opened: &View) -> Vec<&'a Row> {
    let is_earlier = |row: &&Row| {
        let accepted_us = row.accepted_us.saturating_add(LATE_US);
        facts.clock.is_some_and(|clock| clock.latest_moment(accepted_us) < opened.sent_us)
    };
    let mut rows: Vec<&Row> = facts.history.before.values().filter(is_earlier).collect();
    rows.sort_unstable_by_key(|row| row.seq);
    rows
}

/// Compares the last state with the ledger, which was read before or after it. Attempts whose
/// requests got no answer may have had their effect between the two.
fn last_agrees(facts: &Facts<'_>, last: &View, broken: &mut Witnesses) {
    let is_same = is_same_sale(last.sale.epoch, facts.ledger.sale.epoch);
    if !is_same || last.sent_us <= facts.load_end_us() {
        return;
    }
    if !facts.is_settled {
        if facts.has_ledger {
            no_more_than_in_ledger(facts, last, broken);
        }
        return;
    }
    let is_won = |status: &Status| matches!(status, Status::Won(_));
    let unknown = || facts.unknown.iter().filter(|made| made.earlier.is_none());
    let new = unknown().filter(|made| made.row.is_some_and(|row| is_won(&row.status))).count();
    // Orders that are held may be given back between the two, and those that were may have been.
    let (orders, made) = (facts.kept.len(), facts.orders.len());
    let certain = facts.kept.iter().filter(|row| row.keeps_unit()).count();
    let between = certain as i128 - new as i128..=(made + late_orders(facts)) as i128;
    let sale = &last.sale;
    let differs = !between.contains(&i128::from(sale.orders));
    if differs && adds_up(last) {
        broken.add(format_args!("{} orders, and {orders} in the ledger", sale.orders));
    }
    if sale.queued > queued_at_most(facts, last) {
        broken.add(format_args!("{} attempts queued after all were decided", sale.queued));
    }
}

/// A state that was read after the ledger shows no attempts queued that are decided there, unless
/// requests without an answer may still be in flight, which may count as queued.
fn no_more_than_in_ledger(facts: &Facts<'_>, last: &View, broken: &mut Witnesses) {
    let history = facts.history;
    let in_flight = history.sent_again.answered < history.sent_again.wanted;
    if in_flight || !facts.unknown.is_empty() || facts.has_other_buyers() {
        return;
    }
    let is_queued = |row: &&Row| row.status == Status::Queued;
    let queued = facts.ledger.rows.iter().filter(is_queued).count() as u64;
    // Those of a sale that was replaced are in no ledger that was read.
    let before = history.before.values().filter(is_queued).count() as u64;
    let first = history.views.iter().map(|view| view.sale.queued).next().unwrap_or(0);
    let most = queued + first.saturating_sub(before);
    let is_newer = history.ledger_us > 0 && last.sent_us > history.ledger_us;
    broken.add_if(
        is_newer && last.sale.queued > most,
        format_args!("{} attempts queued, and {queued} in the ledger before", last.sale.queued),
    );
}

/// How many attempts can be queued in a state after everything was settled: only those without an
/// answer. In a state that is newer than the ledger, they are those that the ledger does not have
/// as decided; in an older one, those that it has and that were decided later.
fn queued_at_most(facts: &Facts<'_>, last: &View) -> u64 {
    let unknown = || facts.unknown.iter().filter(|made| made.earlier.is_none());
    let is_decided = |row: &Row| row.status != Status::Queued;
    let in_newer = unknown().filter(|made| !made.row.is_some_and(is_decided)).count() as u64;
    let results = facts.history.results.iter().filter(|read| read.answered_us < last.sent_us);
    let decided =
        results.filter(|read| matches!(read.status, Some(Status::Won(_) | Status::Lost(_))));
    let decided: HashSet<_> = decided.map(|read| read.request_id).collect();
    let open = unknown().filter(|made| !decided.contains(&made.request_id));
    let (winners, others): (Vec<&Row>, Vec<&Row>) =
        open.filter_map(|made| made.row).partition(|row| row.status.order_id().is_some());
    let later_orders = (facts.orders.len() as u64).saturating_sub(last.sale.orders);
    in_newer.max(later_orders.min(winners.len() as u64) + others.len() as u64)
}

/// Orders that a right system can have made since the ledger was read.
pub(super) fn late_orders(facts: &Facts<'_>) -> usize {
    let sale = &facts.ledger.sale;
    let queued = facts.ledger.rows.iter().filter(|row| row.status == Status::Queued);
    if facts.holds {
        // Units and places that come back may be taken by any of them.
        return queued.count() + facts.unknown.iter().filter(|made| made.row.is_none()).count();
    }
    let without_row = facts.unknown.iter().filter(|made| made.row.is_none());
    let buyers = without_row.map(|made| facts.history.ids.buyer(made.entry.attempt).to_string());
    let mut late_of: HashMap<String, u64> = HashMap::new();
    for buyer in queued.map(|row| row.uid.to_string()).chain(buyers) {
        *late_of.entry(buyer).or_default() += 1;
    }
    let late = late_of.iter().map(|(buyer, late)| {
        let orders = facts.orders_of.get(&**buyer).copied().unwrap_or(0);
        u64::from(sale.per_buyer).saturating_sub(orders).min(*late)
    });
    let left = sale.stock.saturating_sub(facts.orders.len() as u64);
    usize::try_from(late.sum::<u64>().min(left)).unwrap_or(usize::MAX)
}

/// The states whose figures fit together, by when they were answered.
pub(super) fn by_answers<'a>(facts: &Facts<'a>) -> Vec<&'a View> {
    let mut views: Vec<&View> = facts.views().filter(|view| adds_up(view)).collect();
    views.sort_by_key(|view| view.answered_us);
    views
}
