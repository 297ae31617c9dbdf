//! Rows of the ledger that are missing, that nobody asked for, that are there twice, or that are
//! out of order or another buyer's.

use seckill::history::{AttemptNo, Ids, Loss, Status};
use seckill::judge::Invariant;
use seckill::settings::Buyers;

use super::Expected::{Broken, Invisible};
use super::Kind;
use super::run::{Chance, Run, is_lost, is_won};

const SOLD_OUT: Status = Status::Lost(Loss::SoldOut);

pub(super) const KINDS: &[Kind] = &[
    Kind("an accepted attempt is not in the ledger", |run, chance| {
        let at = run.row(chance, |row| run.is_accepted(row))?;
        run.remove_row(at);
        Some(Broken(Invariant::AcceptedKept))
    }),
    Kind("an attempt without an answer is not in the ledger", |run, chance| {
        let at = run.row(chance, |row| run.is_unanswered(row) && is_lost(row))?;
        let id = run.ledger.rows[at].request_id;
        run.remove_row(at);
        let mut results = run.history.results.iter();
        Some(if results.any(|read| read.request_id == id && read.status.is_some()) {
            Broken(Invariant::ResultsTrue)
        } else {
            Invisible("a request without an answer need not have arrived")
        })
    }),
    Kind("a refused attempt lost", |run, chance| {
        let attempt = run.refused_attempt(chance)?;
        run.add_row(attempt, SOLD_OUT)?;
        Some(Broken(Invariant::RefusalsHold))
    }),
    Kind("a refused attempt is queued", |run, chance| {
        let attempt = run.refused_attempt(chance)?;
        run.add_row(attempt, Status::Queued)?;
        Some(Broken(Invariant::RefusalsHold))
    }),
    Kind("a refused attempt won", |run, chance| {
        let (attempt, order) = (run.refused_attempt(chance)?, run.new_order(chance));
        run.add_row(attempt, order)?;
        Some(Broken(Invariant::RefusalsHold))
    }),
    Kind("an attempt that was never sent won", |run, chance| {
        let (attempt, order) = (unsent(run, chance), run.new_order(chance));
        run.add_row(attempt, order)?;
        Some(Broken(Invariant::OrdersWereSent))
    }),
    Kind("an attempt that was never sent lost", |run, chance| {
        let attempt = unsent(run, chance);
        run.add_row(attempt, SOLD_OUT)?;
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("an attempt of somebody else won", |run, chance| {
        let order = run.new_order(chance);
        add_foreign(run, chance, order)?;
        Some(Broken(Invariant::OrdersWereSent))
    }),
    Kind("an attempt of somebody else lost", |run, chance| {
        add_foreign(run, chance, SOLD_OUT)?;
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("an attempt of somebody else is queued", |run, chance| {
        add_foreign(run, chance, Status::Queued)?;
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("a line of the ledger is there twice", |run, chance| {
        let at = run.row(chance, |_| true)?;
        run.ledger.rows.insert(at, run.ledger.rows[at].clone());
        Some(Broken(Invariant::RequestIdsUnique))
    }),
    Kind("an attempt is decided twice, with two orders", |run, chance| {
        let (at, order) = (run.row(chance, is_won)?, run.new_order(chance));
        let mut again = run.ledger.rows[at].clone();
        again.seq = run.ledger.rows.last()?.seq + 1;
        again.status = Status::Queued;
        run.ledger.rows.push(again);
        run.decide(run.ledger.rows.len() - 1, order);
        Some(Broken(Invariant::RequestIdsUnique))
    }),
    Kind("two lines of the ledger change places", |run, chance| {
        let (a, b) = run.two_rows(chance, |_| true)?;
        run.ledger.rows.swap(a, b);
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("two attempts have the same position", |run, chance| {
        let at = run.row(chance, |row| row.seq > run.ledger.rows[0].seq)?;
        run.ledger.rows[at].seq = run.ledger.rows[at - 1].seq;
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("two attempts exchange positions and places", |run, chance| {
        let (a, b) = run.two_rows(chance, |_| true)?;
        let rows = &mut run.ledger.rows;
        rows.swap(a, b);
        (rows[a].seq, rows[b].seq) = (rows[b].seq, rows[a].seq);
        let is_earlier = [a, b].iter().any(|at| run.is_earlier(&run.ledger.rows[*at]));
        Some(if is_earlier {
            Broken(Invariant::RowsSane)
        } else {
            Invisible("positions are not compared with the moments of requests")
        })
    }),
    Kind("positions have a gap", |run, chance| {
        let from = run.row(chance, |row| !run.is_earlier(row))?;
        let is_earlier = run.ledger.rows[from..].iter().any(|row| run.is_earlier(row));
        let gap = 1 + chance.below(1_000);
        run.ledger.rows[from..].iter_mut().for_each(|row| row.seq += gap);
        (!is_earlier).then_some(Invisible("positions may have gaps"))
    }),
    Kind("two attempts exchange buyers", |run, chance| {
        let (a, b) = run.two_rows(chance, |_| true)?;
        let uids = [a, b].map(|at| run.ledger.rows[at].uid.clone());
        let [of_a, of_b] = uids;
        let is_same = of_a == of_b;
        (run.ledger.rows[a].uid, run.ledger.rows[b].uid) = (of_b, of_a);
        (!is_same).then(|| owner(run, a))
    }),
    Kind("an attempt is another buyer's", |run, chance| {
        let at = run.row(chance, |_| true)?;
        run.ledger.rows[at].uid = chance.pick(["somebody", "", "SOMEBODY"])?.into();
        Some(owner(run, at))
    }),
    Kind("a buyer is written in capitals", |run, chance| {
        let at = run.row(chance, |row| row.uid.chars().any(|c| c.is_ascii_lowercase()))?;
        run.ledger.rows[at].uid = run.ledger.rows[at].uid.to_uppercase().into();
        Some(owner(run, at))
    }),
    Kind("an attempt is at another item", |run, chance| {
        let at = run.row(chance, |_| true)?;
        run.ledger.rows[at].item = "coffee".into();
        Some(owner(run, at))
    }),
];

/// The invariant that a wrong buyer or item breaks.
fn owner(run: &Run, at: usize) -> super::Expected {
    let is_earlier = run.is_earlier(&run.ledger.rows[at]);
    Broken(if is_earlier { Invariant::RowsSane } else { Invariant::AnswersTrue })
}

/// An attempt behind the last one of a virtual user.
fn unsent(run: &Run, chance: &mut Chance) -> AttemptNo {
    let thread = chance.below(run.history.sent.len() as u64);
    let index = run.history.sent[thread as usize] + chance.below(3);
    AttemptNo { thread: thread as u32, index }
}

/// Adds a row for an attempt of another client.
fn add_foreign(run: &mut Run, chance: &mut Chance, status: Status) -> Option<()> {
    let ids = Ids::new(chance.below(u64::MAX), Buyers::New).unmarked();
    let attempt = AttemptNo { thread: 0, index: chance.below(9) };
    let ours = std::mem::replace(&mut run.history.ids, ids);
    let added = run.add_row(attempt, status);
    run.history.ids = ours;
    added
}
