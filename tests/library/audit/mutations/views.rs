//! States of the sale that differ from the ledger or from each other, or that show what cannot have
//! been sold.

use seckill::history::{SaleView, View};
use seckill::judge::Invariant;

use super::Expected::{Broken, Invisible};
use super::Kind;
use super::run::{Chance, Run, is_won};

pub(super) const KINDS: &[Kind] = &[
    Kind("the last state shows more orders than the ledger", |run, chance| {
        let more = 1 + run.unanswered() + chance.below(20);
        change_last(run, |sale| sell(sale, sale.orders + more))?;
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("the last state shows fewer orders than the ledger", |run, chance| {
        let less = 1 + run.unanswered() + chance.below(3);
        let orders = run.history.views.iter().next_back()?.sale.orders.checked_sub(less)?;
        change_last(run, |sale| sell(sale, orders))?;
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("a state shows other units left than its orders leave", |run, chance| {
        let by = 1 + chance.below(20) as i64;
        let by = chance.pick([by, -by])?;
        change_any(run, chance, |view| view.sale.stock_left += by)?;
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("a state shows more orders than its units left allow", |run, chance| {
        let more = 1 + chance.below(20);
        change_any(run, chance, |view| view.sale.orders += more)?;
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("the last state shows queued attempts", |run, chance| {
        let more = 1 + run.unanswered() + chance.below(20);
        change_last(run, |sale| sale.queued += more)?;
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("a state shows another stock", |run, chance| {
        let more = 1 + chance.below(20);
        change_any(run, chance, |view| view.sale.stock += more)?;
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("a state shows another limit", |run, chance| {
        let more = 1 + chance.below(3) as u32;
        change_any(run, chance, |view| {
            view.sale.per_buyer = view.sale.per_buyer.map(|limit| limit + more);
        })?;
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("a state shows another item", |run, chance| {
        change_any(run, chance, |view| view.sale.item = "coffee".into())?;
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("a state shows another opening", |run, chance| {
        let by_us = 1 + chance.seconds(0, 100);
        run.history.views.iter().next()?.sale.hours.opens_us?;
        change_any(run, chance, |view| {
            view.sale.hours.opens_us = view.sale.hours.opens_us.map(|us| us - by_us);
        })?;
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("a state shows more orders than can have been made", |run, chance| {
        let (at, possible) = possible(run, chance)?;
        change(run, at, |view| sell(&mut view.sale, possible + 1));
        Some(Broken(Invariant::StockReadsBounded))
    }),
    Kind("orders become fewer", |run, chance| {
        let (before, after) = in_order(run, chance, |sale| sale.orders > 0)?;
        let orders = run.views()[before].sale.orders - 1;
        change(run, after, |view| sell(&mut view.sale, orders));
        Some(Broken(Invariant::StockReadsBounded))
    }),
    Kind("orders are shown before their attempts are sent", |run, chance| {
        let (before, views) = (orders_before(run), run.views());
        let at = chance.pick((0..views.len()).filter(|at| views[*at].sale.orders > before))?;
        let first_us = run.history.entries.iter().map(|entry| entry.sent_us).min()?;
        let answered_us = 1 + chance.below(first_us.max(1));
        (answered_us < first_us).then_some(())?;
        change(run, at, |view| (view.sent_us, view.answered_us) = (answered_us - 1, answered_us));
        Some(Broken(Invariant::StockReadsBounded))
    }),
    Kind("a state is not kept", |run, chance| {
        let mut views = run.views();
        views.remove(chance.pick(0..views.len() - 1)?);
        run.set_views(views);
        Some(Invisible("the states that are kept are right"))
    }),
    Kind("a state during the run shows other attempts queued", |run, chance| {
        let end_us = run.end_us();
        let views = run.views();
        let during = (1..views.len()).filter(|at| views[*at].sent_us <= end_us);
        let (at, queued) = (chance.pick(during)?, 1 + chance.below(9));
        change(run, at, |view| view.sale.queued += queued);
        Some(Invisible("attempts at replaced sales of the item count as queued, too"))
    }),
];

/// Shows so many orders, and the units that they leave.
fn sell(sale: &mut SaleView, orders: u64) {
    (sale.orders, sale.stock_left) = (orders, sale.stock as i64 - orders as i64);
}

/// Changes the last state, if it was read after the load.
fn change_last(run: &mut Run, change: impl Fn(&mut SaleView)) -> Option<()> {
    let mut views = run.views();
    let end_us = run.end_us();
    let last = views.last_mut().filter(|view| view.sent_us > end_us)?;
    change(&mut last.sale);
    run.set_views(views);
    Some(())
}

fn change(run: &mut Run, at: usize, change: impl Fn(&mut View)) {
    let mut views = run.views();
    change(&mut views[at]);
    run.set_views(views);
}

fn change_any(run: &mut Run, chance: &mut Chance, of: impl Fn(&mut View)) -> Option<()> {
    let at = chance.pick(0..run.history.views.iter().len())?;
    change(run, at, of);
    Some(())
}

/// Orders that were made before the run, or may have been.
fn orders_before(run: &Run) -> u64 {
    let is_order = |row: &&seckill::history::Row| is_won(row) || row.decided_us.is_none();
    run.history.before.values().filter(is_order).count() as u64
}

/// The position of a state, and the orders that can have been made when it was answered.
fn possible(run: &Run, chance: &mut Chance) -> Option<(usize, u64)> {
    let views = run.views();
    let at = chance.pick((0..views.len()).filter(|at| views[*at].answered_us > 0))?;
    let new = |entry: &&_| !run.history.before.contains_key(&run.id(entry));
    let sent = run.history.entries.iter().filter(new);
    let sent = sent.filter(|entry| entry.sent_us <= views[at].answered_us).count() as u64;
    let possible = sent + orders_before(run);
    (possible < views[at].sale.stock).then_some((at, possible))
}

/// The positions of two states of which the second was requested after the first was answered.
fn in_order(
    run: &Run,
    chance: &mut Chance,
    is_wanted: fn(&SaleView) -> bool,
) -> Option<(usize, usize)> {
    let views = run.views();
    let (a, b) = chance.pair(0..views.len())?;
    let (before, after) = (a.min(b), a.max(b));
    let is_in_order = views[before].answered_us < views[after].sent_us;
    (is_in_order && is_wanted(&views[before].sale)).then_some((before, after))
}
