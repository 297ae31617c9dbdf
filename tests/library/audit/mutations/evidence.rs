//! Evidence that could not be had: then nothing passes, and what can be proved without it fails.

use seckill::history::{
    Answered, AttemptNo, Entry, Refused, RequestWindow, ResultRead, Standstill, Status,
};
use seckill::judge::Invariant;

use super::Expected::{Broken, Unknown};
use super::Kind;
use super::run::{Chance, Run, is_won};

pub(super) const KINDS: &[Kind] = &[
    Kind("the ledger after the run cannot be read", |run, _| {
        run.gaps.ledger = because();
        Some(Unknown)
    }),
    Kind("the ledger cannot be read, and buyers read more orders than units", |run, chance| {
        run.gaps.ledger = because();
        for index in 0..run.ledger.sale.stock + 1 + chance.below(3) {
            let request_id = run.history.ids.request_id(AttemptNo { thread: 0, index });
            let status = Some(Status::Won(seckill::ids::OrderId::from_text(format!("{index}"))));
            let read = ResultRead {
                request_id,
                status,
                order: None,
                held_until_us: None,
                sent_us: 1,
                answered_us: 2,
            };
            run.history.results.push(read);
        }
        Some(Broken(Invariant::NeverOversold))
    }),
    Kind("the server died", |run, _| {
        run.gaps.server = because();
        Some(Unknown)
    }),
    Kind("attempts are still queued", |run, chance| {
        queue(run, chance)?;
        Some(Unknown)
    }),
    Kind("attempts are queued, and nothing moves at a server that is well", |run, chance| {
        queue(run, chance)?;
        stand_still(run, chance.seconds(5, 30), true);
        Some(Broken(Invariant::AcceptedDecided))
    }),
    Kind("attempts are queued for a short time at a server that is well", |run, chance| {
        queue(run, chance)?;
        stand_still(run, chance.seconds(0, 5), true);
        Some(Unknown)
    }),
    Kind("attempts are queued, and nothing moves at a server that is not well", |run, chance| {
        queue(run, chance)?;
        stand_still(run, chance.seconds(5, 30), false);
        Some(Unknown)
    }),
    Kind("no request was answered", |run, _| {
        run.history.refusals = Default::default();
        run.history.results.clear();
        for entry in &mut run.history.entries {
            (entry.answered, entry.refusal) = (Answered::Unknown, None);
        }
        Some(Unknown)
    }),
    Kind("every attempt is refused for the moment", |run, _| {
        let (refusals, entries) = (run.refused(), std::mem::take(&mut run.history.entries));
        let of_entries = entries.iter().map(|entry| {
            let Entry { attempt, sent_us, answered_us, .. } = *entry;
            RequestWindow { attempt, sent_us, answered_us }
        });
        let requests = refusals.into_iter().map(|(_, request)| request).chain(of_entries);
        run.set_refused(requests.map(|request| (Refused::Unavailable, request)).collect());
        let before = &run.history.before;
        run.ledger.rows.retain(|row| before.contains_key(&row.request_id));
        run.ledger.sale = run.history.sale_before.clone()?;
        let first = run.views().swap_remove(0).sale;
        run.change_views(|view| view.sale = first.clone());
        run.history.results.clear();
        (run.ledger.sale.stock_left > 0).then_some(Unknown)
    }),
    Kind("no attempt was made", |run, _| {
        run.history.sent.fill(0);
        run.history.entries.clear();
        Some(Unknown)
    }),
];

fn because() -> Option<String> {
    Some("it is a test".into())
}

/// Leaves an accepted attempt queued, and others with it.
fn queue(run: &mut Run, chance: &mut Chance) -> Option<()> {
    let at = run.row(chance, |row| run.is_accepted(row) && !is_won(row))?;
    run.decide(at, Status::Queued);
    let id = run.ledger.rows[at].request_id;
    run.history.results.retain(|read| read.request_id != id);
    for entry in &mut run.history.entries {
        if run.history.ids.request_id(entry.attempt) == id && entry.answered.is_decision() {
            entry.answered = Answered::Accepted;
        }
    }
    run.gaps.settled = because();
    Some(())
}

fn stand_still(run: &mut Run, unchanged_us: u64, is_ready: bool) {
    let queued = run.ledger.rows.iter().filter(|row| row.status == Status::Queued).count() as u64;
    run.history.standstill = Some(Standstill { queued, unchanged_us, waited_us: 0, is_ready });
}
