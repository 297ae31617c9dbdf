//! Refusals that are false, that contradict themselves, or that do not say when to try again.

use seckill::history::{Refused, RequestWindow};
use seckill::judge::Invariant;

use super::Expected::{Broken, Invisible};
use super::Kind;
use super::run::{Chance, Run, is_won};

pub(super) const KINDS: &[Kind] = &[
    Kind("a valid request is called malformed", |run, chance| {
        let at_us = any_moment(run, chance);
        refuse(run, chance, Refused::Invalid, at_us);
        (run.accepted() > 0).then_some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("a fresh id is called reused", |run, chance| {
        let at_us = any_moment(run, chance);
        refuse(run, chance, Refused::IdReused, at_us);
        Some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("a buyer without an order is told already bought", |run, chance| {
        let at_us = any_moment(run, chance);
        refuse(run, chance, Refused::AlreadyBought, at_us);
        is_told_falsely(run).then_some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("a buyer is told sold out, and units are left", |run, chance| {
        let at_us = any_moment(run, chance);
        refuse(run, chance, Refused::SoldOut, at_us);
        (run.ledger.sale.stock_left > 0).then_some(Broken(Invariant::SoldOutTrue))
    }),
    Kind("a buyer is told sold out, and a later attempt wins", |run, chance| {
        let winner = run.entry(chance, |entry| run.row_of(entry).is_some_and(is_won))?;
        let sent_us = run.history.entries[winner].sent_us;
        refuse(run, chance, Refused::SoldOut, sent_us.checked_sub(1_000)?);
        Some(Broken(Invariant::SoldOutTrue))
    }),
    Kind("a buyer is told that the sale is not open long after it opened", |run, chance| {
        let at_us = opened_us(run)?.max(0) as u64 + chance.seconds(3, 60);
        refuse(run, chance, Refused::NotOpen, at_us);
        Some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("a buyer is told that the sale is not open just after it opened", |run, chance| {
        let at_us = u64::try_from(opened_us(run)? + chance.below(900_000) as i64).ok()?;
        refuse(run, chance, Refused::NotOpen, at_us);
        Some(Invisible("clocks of a right system that know the hours may be a second apart"))
    }),
    Kind("a buyer is told that the sale is closed, and it is open", |run, chance| {
        let at_us = opened_us(run)?.max(1) as u64;
        refuse(run, chance, Refused::Closed, at_us);
        Some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("a refusal does not say when to try again", |run, chance| {
        let at_us = any_moment(run, chance);
        let refused = temporary(chance);
        let request = refuse(run, chance, refused, at_us);
        run.history.without_retry_after.add(request);
        Some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("a refusal contradicts itself", |run, chance| {
        let at_us = any_moment(run, chance);
        let refused = temporary(chance);
        let request = refuse(run, chance, refused, at_us);
        run.history.contradictory.add(request);
        Some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("a buyer is refused for the moment", |run, chance| {
        let at_us = any_moment(run, chance);
        let refused = temporary(chance);
        refuse(run, chance, refused, at_us);
        Some(Invisible("no client can see how busy a server is"))
    }),
    Kind("a final refusal becomes one for the moment", |run, chance| {
        let refused = temporary(chance);
        replace(run, chance, None, refused)?;
        Some(Invisible("no client can see how busy a server is"))
    }),
    Kind("sold out becomes already bought", |run, chance| {
        replace(run, chance, Some(Refused::SoldOut), Refused::AlreadyBought)?;
        is_told_falsely(run).then_some(Broken(Invariant::RefusalsTrue))
    }),
    Kind("already bought becomes sold out, and units are left", |run, chance| {
        replace(run, chance, Some(Refused::AlreadyBought), Refused::SoldOut)?;
        (run.ledger.sale.stock_left > 0).then_some(Broken(Invariant::SoldOutTrue))
    }),
    Kind("a refusal is not counted", |run, chance| {
        let mut refused = run.refused();
        refused.remove(chance.pick(0..refused.len())?);
        run.set_refused(refused);
        Some(Invisible("refused attempts are only counted by kind"))
    }),
];

/// A refusal that says nothing about the sale.
fn temporary(chance: &mut Chance) -> Refused {
    if chance.below(2) == 0 { Refused::RateLimited } else { Refused::Unavailable }
}

/// A moment between the first request and the end of the run.
fn any_moment(run: &Run, chance: &mut Chance) -> u64 {
    1_000 + chance.below(run.end_us().max(1))
}

/// When the sale opened, in microseconds since the beginning of the history, by the offset of the
/// server's clock that one request shows; `None` if the sale does not show it.
fn opened_us(run: &Run) -> Option<i64> {
    let opens_us = run.history.views.iter().next()?.sale.hours.opens_us?;
    let row = run.ledger.rows.iter().find(|row| run.is_accepted(row))?;
    let entry = &run.history.entries[run.entry_at(&row.request_id)?];
    Some(opens_us as i64 - row.accepted_us as i64 + entry.sent_us as i64)
}

/// Adds an attempt that was refused at this moment.
fn refuse(run: &mut Run, chance: &mut Chance, refused: Refused, at_us: u64) -> RequestWindow {
    let attempt = run.send(chance);
    let request = RequestWindow { attempt, sent_us: at_us.saturating_sub(300), answered_us: at_us };
    run.history.refusals.add(refused, request);
    request
}

/// Gives the refusal of some request another reason.
fn replace(run: &mut Run, chance: &mut Chance, from: Option<Refused>, to: Refused) -> Option<()> {
    let mut refused = run.refused();
    let is_wanted = |of: Refused| from.map_or(of.is_final(), |from| from == of);
    let at = chance.pick((0..refused.len()).filter(|at| is_wanted(refused[*at].0)))?;
    refused[at].0 = to;
    run.set_refused(refused);
    Some(())
}

/// Whether a buyer was told already bought that cannot have as many orders as one may have.
pub(super) fn is_told_falsely(run: &Run) -> bool {
    let limit = u64::from(run.ledger.sale.per_buyer);
    let history = &run.history;
    run.refused().iter().filter(|(refused, _)| *refused == Refused::AlreadyBought).any(
        |(_, one)| {
            let buyer = history.ids.buyer(one.attempt);
            let ours = history.entries.iter().filter(|e| history.ids.buyer(e.attempt) == buyer);
            let before = history.before.values().filter(|row| *row.uid == *buyer.to_string());
            ((ours.count() + before.count()) as u64) < limit
        },
    )
}
