//! Answers to attempts that differ from the ledger, that are missing, or that come twice.

use seckill::history::{Answered, Entry, FinalRefusal, Loss, Refused, RequestWindow, Status};
use seckill::ids::OrderId;
use seckill::judge::Invariant;

use super::Expected::{Broken, Invisible};
use super::Kind;
use super::run::{Chance, Run, is_lost, is_won};

/// Refusals that are final for an attempt.
const FINAL: [Refused; 3] = [Refused::SoldOut, Refused::AlreadyBought, Refused::IdReused];

pub(super) const KINDS: &[Kind] = &[
    Kind("an accepted attempt counts as refused", |run, chance| {
        let at = run.entry(chance, |entry| run.row_of(entry).is_some())?;
        run.history.entries.remove(at);
        Some(Broken(Invariant::RefusalsHold))
    }),
    Kind("an answer is lost", |run, chance| {
        let at = accepted(run, chance, |_, _| true)?;
        run.history.entries[at].answered = Answered::Unknown;
        (run.accepted() > 0).then_some(Invisible("the ledger confirms what was not answered"))
    }),
    Kind("an attempt that never arrived is accepted", |run, chance| {
        let is_unknown = |entry: &Entry| entry.answered == Answered::Unknown;
        let at = run.entry(chance, |entry| is_unknown(entry) && run.row_of(entry).is_none())?;
        run.history.entries[at].answered = Answered::Accepted;
        Some(Broken(Invariant::AcceptedKept))
    }),
    Kind("a winner is answered another order", |run, chance| {
        let at = accepted(run, chance, |_, status| matches!(status, Status::Won(_)))?;
        run.history.entries[at].answered = won("unheard-of");
        Some(Broken(Invariant::AnswersTrue))
    }),
    Kind("a winner is answered that it lost", |run, chance| {
        let at = accepted(run, chance, |_, status| matches!(status, Status::Won(_)))?;
        run.history.entries[at].answered = Answered::Lost(Loss::SoldOut);
        Some(Broken(Invariant::AnswersTrue))
    }),
    Kind("a loser is answered that it won", |run, chance| {
        let at = accepted(run, chance, |_, status| matches!(status, Status::Lost(_)))?;
        run.history.entries[at].answered = won("unheard-of");
        Some(Broken(Invariant::AnswersTrue))
    }),
    Kind("a loser is answered another reason", |run, chance| {
        let at = accepted(run, chance, |_, status| matches!(status, Status::Lost(_)))?;
        run.history.entries[at].answered = Answered::Lost(Loss::SaleReplaced);
        Some(Broken(Invariant::AnswersTrue))
    }),
    Kind("a winner is answered somebody's order", |run, chance| {
        let at = accepted(run, chance, |_, status| matches!(status, Status::Won(_)))?;
        let id = run.id(&run.history.entries[at]);
        let other = run.row(chance, |row| is_won(row) && row.request_id != id)?;
        let Status::Won(order) = &run.ledger.rows[other].status else { return None };
        run.history.entries[at].answered = won(order.as_str());
        Some(Broken(Invariant::AnswersTrue))
    }),
    Kind("two attempts exchange their answers", |run, chance| {
        let is_told = |of: &Answered, row: fn(&_) -> bool, entry: &Entry| {
            std::mem::discriminant(of) == std::mem::discriminant(&entry.answered)
                && run.row_of(entry).is_some_and(row)
        };
        let winner = run.entry(chance, |entry| is_told(&won(""), is_won, entry))?;
        let lost = Answered::Lost(Loss::SoldOut);
        let loser = run.entry(chance, |entry| is_told(&lost, is_lost, entry))?;
        let entries = &mut run.history.entries;
        let of_winner = std::mem::replace(&mut entries[winner].answered, lost);
        entries[loser].answered = of_winner;
        Some(Broken(Invariant::AnswersTrue))
    }),
    Kind("an attempt is answered twice, in the same way", |run, chance| {
        let at = accepted(run, chance, |_, _| true)?;
        run.history.entries.push(run.history.entries[at].clone());
        Some(Invisible("an answer may be repeated"))
    }),
    Kind("an attempt is answered twice, with two decisions", |run, chance| {
        let at = accepted(run, chance, |entry, _| entry.answered.is_decision())?;
        let mut again = run.history.entries[at].clone();
        again.answered = match again.answered {
            Answered::Lost(_) => won("unheard-of"),
            _ => Answered::Lost(Loss::SoldOut),
        };
        run.history.entries.push(again);
        Some(Broken(Invariant::IdsAnsweredOnce))
    }),
    Kind("an attempt is refused for good after it was accepted", |run, chance| {
        let at = accepted(run, chance, |_, _| true)?;
        let sent_us = run.history.entries[at].answered_us + 1;
        refuse(run, at, chance.pick(FINAL)?, sent_us, true);
        Some(Broken(Invariant::IdsAnsweredOnce))
    }),
    Kind("a retry is refused for good long after the attempt was accepted", |run, chance| {
        let at = run.entry(chance, |entry| run.row_of(entry).is_some())?;
        let sent_us = run.history.entries[at].answered_us + chance.seconds(2, 60);
        refuse(run, at, chance.pick(FINAL)?, sent_us, false);
        Some(Broken(Invariant::IdsAnsweredOnce))
    }),
    Kind("one of two requests in flight is refused for good", |run, chance| {
        let at = run.entry(chance, |entry| run.row_of(entry).is_some())?;
        let sent_us = run.history.entries[at].sent_us;
        refuse(run, at, chance.pick(FINAL)?, sent_us, false);
        Some(Invisible("it may have been looked at before the other was accepted"))
    }),
    Kind("a winner was sent after somebody was told sold out", |run, chance| {
        let first = run.history.refusals.of(Refused::SoldOut)?.first?;
        let at = run.entry(chance, |entry| run.row_of(entry).is_some_and(is_won))?;
        let entry = &mut run.history.entries[at];
        let took_us = entry.answered_us - entry.sent_us;
        entry.sent_us = entry.sent_us.max(first.answered_us + 1 + chance.seconds(0, 1));
        entry.answered_us = entry.sent_us + took_us;
        Some(Broken(Invariant::SoldOutTrue))
    }),
    Kind("a loser is answered sold out, and a later attempt wins", |run, chance| {
        let sold_out = Status::Lost(Loss::SoldOut);
        let at = accepted(run, chance, |_, status| *status == sold_out)?;
        let winner = run.entry(chance, |entry| run.row_of(entry).is_some_and(is_won))?;
        let winner_sent_us = run.history.entries[winner].sent_us;
        let entry = &mut run.history.entries[at];
        entry.answered = Answered::Lost(Loss::SoldOut);
        entry.answered_us = winner_sent_us.checked_sub(1).filter(|us| *us > 0)?;
        entry.sent_us = entry.sent_us.min(entry.answered_us);
        Some(Broken(Invariant::SoldOutTrue))
    }),
];

/// The position of the entry of an accepted attempt with a row.
fn accepted(
    run: &Run,
    chance: &mut Chance,
    is_wanted: impl Fn(&Entry, &Status) -> bool,
) -> Option<usize> {
    run.entry(chance, |entry| {
        let is_row = |row: &seckill::history::Row| is_wanted(entry, &row.status);
        entry.answered != Answered::Unknown && run.row_of(entry).is_some_and(is_row)
    })
}

fn won(order: &str) -> Answered {
    Answered::Won(Box::new(OrderId::from_text(order)))
}

/// Adds a final refusal of another request of an attempt.
fn refuse(run: &mut Run, at: usize, refused: Refused, sent_us: u64, was_accepted: bool) {
    let entry = &mut run.history.entries[at];
    let request = RequestWindow { attempt: entry.attempt, sent_us, answered_us: sent_us + 500 };
    entry.refusal = Some(Box::new(FinalRefusal { refused, request, was_accepted }));
}
