//! The ledger before the run: what it held is still there, and it is right itself.

use seckill::history::{AttemptNo, History, Ids, Loss, Row, Status};
use seckill::ids::RequestId;
use seckill::judge::Invariant;
use seckill::settings::Buyers;

use super::Expected::{Broken, Invisible};
use super::Kind;
use super::run::{Chance, Run, is_lost, is_won};

pub(super) const KINDS: &[Kind] = &[
    Kind("an attempt before the run is gone", |run, chance| {
        let at = run.row(chance, |row| run.is_earlier(row))?;
        run.remove_row(at);
        Some(Broken(Invariant::EarlierKept))
    }),
    Kind("a decision before the run is another one", |run, chance| {
        let at = run.row(chance, |row| run.is_earlier(row))?;
        let order = run.new_order(chance);
        let other = chance.pick([Status::Queued, Status::Lost(Loss::SaleReplaced), order])?;
        run.decide(at, other);
        Some(Broken(Invariant::EarlierKept))
    }),
    Kind("an attempt before the run has another position", |run, chance| {
        // Behind the one before it, so that positions still rise.
        let at = run.row(chance, |row| run.is_earlier(row))?;
        run.ledger.rows[at..].iter_mut().for_each(|row| row.seq += 1);
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("an attempt before the run was accepted at another time", |run, chance| {
        let at = run.row(chance, |row| run.is_earlier(row))?;
        run.ledger.rows[at].accepted_us -= 1 + chance.seconds(0, 100);
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("an attempt before the run was decided at another time", |run, chance| {
        let at = run.row(chance, |row| run.is_earlier(row) && row.decided_us.is_some())?;
        let by_us = 1 + chance.seconds(0, 100);
        let row = &mut run.ledger.rows[at];
        row.decided_us = row.decided_us.map(|us| us + by_us);
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("an order of nobody was made before the run", |run, chance| {
        forget(run, chance, is_won)?;
        Some(Broken(Invariant::OrdersWereSent))
    }),
    Kind("a loss of nobody was there before the run", |run, chance| {
        forget(run, chance, is_lost)?;
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("an attempt is queued before and after the run", |run, chance| {
        let (at, id) = earlier(run, chance, |_| true)?;
        run.decide(at, Status::Queued);
        make_queued(run, id);
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("an attempt that was queued before the run is decided", |run, chance| {
        let (_, id) = earlier(run, chance, is_lost)?;
        make_queued(run, id);
        Some(Invisible("it is right"))
    }),
    Kind("an attempt lost as sold out before the run, and later ones win", |run, chance| {
        let is_new = |row: &Row| is_won(row) && run.entry_at(&row.request_id).is_some();
        let mut row = run.ledger.rows[run.row(chance, is_new)?].clone();
        let ids = Ids::new(chance.below(u64::MAX), Buyers::New).unmarked();
        row.request_id = ids.request_id(AttemptNo { thread: 0, index: 0 });
        row.status = Status::Lost(Loss::SoldOut);
        row.accepted_us -= 3_600_000_000;
        row.decided_us = Some(row.accepted_us);
        let earlier = run.ledger.rows.iter().take_while(|row| run.is_earlier(row)).count();
        run.ledger.rows[earlier..].iter_mut().for_each(|row| row.seq += 1);
        row.seq = earlier.checked_sub(1).map_or(0, |last| run.ledger.rows[last].seq + 1);
        run.ledger.rows.insert(earlier, row.clone());
        run.history.before.insert(row.request_id, row);
        Some(Broken(Invariant::SoldOutTrue))
    }),
    Kind("the units left before the run are more or fewer", |run, chance| {
        let by = 1 + chance.below(20) as i64;
        let by = chance.pick([by, -by])?;
        run.history.sale_before.as_mut()?.stock_left += by;
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("the stock or the limit was another one before the run", |run, chance| {
        let before = run.history.sale_before.as_mut()?;
        match chance.below(2) {
            0 => before.stock += 1 + chance.below(20),
            _ => before.per_buyer += 1 + chance.below(3) as u32,
        }
        Some(Broken(Invariant::TermsKept))
    }),
    Kind("the item or the hours were other ones before the run", |run, chance| {
        let before = run.history.sale_before.as_mut()?;
        match (chance.below(2), &mut before.hours.opens_us) {
            (0, Some(opens_us)) => *opens_us += 1 + chance.seconds(0, 100),
            _ => before.item = "coffee".into(),
        }
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("the ledger before the run is another sale's", |run, chance| {
        run.history.sale_before.as_mut()?.epoch += 1 + chance.below(3);
        Some(Broken(Invariant::ViewsAgree))
    }),
];

/// The position and the id of a row that the ledger before the run has.
fn earlier(
    run: &Run,
    chance: &mut Chance,
    is_wanted: impl Fn(&Row) -> bool,
) -> Option<(usize, RequestId)> {
    let at = run.row(chance, |row| run.is_earlier(row) && is_wanted(row))?;
    Some((at, run.ledger.rows[at].request_id))
}

/// Takes a row out of the ledger before the run. If the run made the attempt as well, it is its.
fn forget(run: &mut Run, chance: &mut Chance, is_wanted: fn(&Row) -> bool) -> Option<()> {
    let is_ours = |row: &Row| run.history.ids.attempt(&row.request_id).is_some();
    let (_, id) = earlier(run, chance, |row| is_wanted(row) && !is_ours(row))?;
    run.history.before.remove(&id);
    Some(())
}

/// Shows an attempt as queued in the ledger before the run, and its unit as left.
fn make_queued(run: &mut Run, id: RequestId) {
    let History { before, sale_before, .. } = &mut run.history;
    if let (Some(row), Some(sale)) = (before.get_mut(&id), sale_before) {
        sale.stock_left += i64::from(is_won(row));
        (row.status, row.decided_us) = (Status::Queued, None);
    }
}
