//! Results that differ from the ledger, that change, or that could not be read.

use seckill::history::{AttemptNo, Loss, ResultRead, Status};
use seckill::ids::{OrderId, RequestId};
use seckill::judge::Invariant;

use super::Expected::{Broken, Invisible, Unknown};
use super::Kind;
use super::run::{Chance, Run, is_won};

pub(super) const KINDS: &[Kind] = &[
    Kind("a winner reads that it lost", |run, chance| {
        let at = read(run, chance, |status| matches!(status, Status::Won(_)))?;
        run.history.results[at].status = Some(Status::Lost(Loss::SoldOut));
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a loser reads that it won", |run, chance| {
        let at = read(run, chance, |status| matches!(status, Status::Lost(_)))?;
        run.history.results[at].status = Some(run.new_order(chance));
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a winner reads another order", |run, chance| {
        let at = read(run, chance, |status| matches!(status, Status::Won(_)))?;
        run.history.results[at].status = Some(run.new_order(chance));
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a winner reads somebody's order", |run, chance| {
        let at = read(run, chance, |status| matches!(status, Status::Won(_)))?;
        let id = run.history.results[at].request_id;
        let other = run.row(chance, |row| is_won(row) && row.request_id != id)?;
        run.history.results[at].status = Some(run.ledger.rows[other].status.clone());
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a loser reads another reason", |run, chance| {
        let at = read(run, chance, |status| matches!(status, Status::Lost(_)))?;
        run.history.results[at].status = Some(Status::Lost(Loss::SaleReplaced));
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a loser reads no reason", |run, chance| {
        let at = read(run, chance, |status| matches!(status, Status::Lost(_)))?;
        run.history.results[at].status = Some(Status::Lost(Loss::Unstated));
        Some(Invisible("the reason of a loss may be left out"))
    }),
    Kind("two results are exchanged", |run, chance| {
        let a = read(run, chance, |status| matches!(status, Status::Won(_)))?;
        let b = read(run, chance, |status| matches!(status, Status::Lost(_)))?;
        let results = &mut run.history.results;
        let of_a = results[a].status.take();
        results[a].status = std::mem::replace(&mut results[b].status, of_a);
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("an accepted attempt stays queued for its buyer", |run, chance| {
        let at = read_after_the_run(run, chance)?;
        run.history.results[at].status = Some(Status::Queued);
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("an accepted attempt is not known", |run, chance| {
        let at = read_after_the_run(run, chance)?;
        run.history.results[at].status = None;
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a refused attempt reads a decision", |run, chance| {
        let id = run.history.ids.request_id(run.refused_attempt(chance)?);
        let status = any_status(run, chance);
        add(run, id, Some(status));
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a refused attempt is not known", |run, chance| {
        let id = run.history.ids.request_id(run.refused_attempt(chance)?);
        add(run, id, None);
        Some(Invisible("it is right"))
    }),
    Kind("an attempt that was never sent reads a decision", |run, chance| {
        let attempt = AttemptNo { thread: 0, index: run.history.sent[0] + chance.below(9) };
        let id = run.history.ids.request_id(attempt);
        let status = any_status(run, chance);
        add(run, id, Some(status));
        Some(Broken(Invariant::ResultsTrue))
    }),
    Kind("a decision is read, and later none", |run, chance| {
        let at = read(run, chance, |status| *status != Status::Queued)?;
        add(run, run.history.results[at].request_id, chance.pick([None, Some(Status::Queued)])?);
        Some(Broken(Invariant::IdsAnsweredOnce))
    }),
    Kind("a decision is read, and later another one", |run, chance| {
        let at = read(run, chance, |status| *status != Status::Queued)?;
        let other = match &run.history.results[at].status {
            Some(Status::Won(_)) => Status::Lost(Loss::SoldOut),
            _ => Status::Won(OrderId::from_text("unheard-of")),
        };
        add(run, run.history.results[at].request_id, Some(other));
        Some(Broken(Invariant::IdsAnsweredOnce))
    }),
    Kind("a result is not kept", |run, chance| {
        let at = chance.pick(0..run.history.results.len())?;
        run.history.results.remove(at);
        Some(Invisible("the ledger shows the decision, and another reading can be right"))
    }),
    Kind("a result could not be read", |run, chance| {
        let asked = &mut run.history.asked;
        asked.answered = asked.answered.checked_sub(1 + chance.below(3))?;
        Some(Unknown)
    }),
];

/// The position of a result that shows such a status.
fn read(run: &Run, chance: &mut Chance, is_wanted: fn(&Status) -> bool) -> Option<usize> {
    let results = &run.history.results;
    let is_wanted = |at: &usize| results[*at].status.as_ref().is_some_and(is_wanted);
    chance.pick((0..results.len()).filter(is_wanted))
}

/// The position of a result of an accepted attempt that was read when everything was decided.
fn read_after_the_run(run: &Run, chance: &mut Chance) -> Option<usize> {
    let results = &run.history.results;
    let end_us = run.end_us();
    let mut after = run.history.views.iter().filter(|view| view.sent_us > end_us);
    let settled_us = after.find(|view| view.sale.queued == 0)?.answered_us;
    let is_wanted = |at: &usize| {
        let read = &results[*at];
        let is_accepted = |at| run.is_accepted(&run.ledger.rows[at]);
        read.sent_us > settled_us && run.row_at(&read.request_id).is_some_and(is_accepted)
    };
    chance.pick((0..results.len()).filter(is_wanted))
}

fn any_status(run: &Run, chance: &mut Chance) -> Status {
    let statuses = [Status::Queued, Status::Lost(Loss::SoldOut), run.new_order(chance)];
    chance.pick(statuses).unwrap_or(Status::Queued)
}

/// Adds a result that was read after all others and after the last state of the sale.
fn add(run: &mut Run, request_id: RequestId, status: Option<Status>) {
    let results = run.history.results.iter().map(|read| read.answered_us);
    let views = run.history.views.iter().map(|view| view.answered_us);
    let sent_us = results.chain(views).max().unwrap_or(0) + 1_000;
    let answered_us = sent_us + 500;
    run.history.results.push(ResultRead {
        request_id,
        status,
        order: None,
        held_until_us: None,
        sent_us,
        answered_us,
    });
}
