//! Decisions that are other than the rule makes them, with and without a counter that fits them.

use seckill::history::{Loss, Status};
use seckill::judge::Invariant;

use super::Expected::{self, Broken, Invisible};
use super::Kind;
use super::run::{Run, is_lost, is_won};

pub(super) const KINDS: &[Kind] = &[
    Kind("a loser wins, and the counter stays", |run, chance| {
        let (at, order) = (run.row(chance, is_lost)?, run.new_order(chance));
        run.ledger.rows[at].status = order;
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("a loser wins, and a unit is taken", |run, chance| {
        let (at, order) = (run.row(chance, is_lost)?, run.new_order(chance));
        run.decide(at, order);
        by_decisions(run, "nothing is known of the attempt but the ledger")
    }),
    Kind("a winner loses, and the counter stays", |run, chance| {
        let at = run.row(chance, is_won)?;
        run.ledger.rows[at].status = Status::Lost(Loss::SoldOut);
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("a winner loses, and its unit is given back", |run, chance| {
        let at = run.row(chance, is_won)?;
        run.decide(at, Status::Lost(Loss::SoldOut));
        by_decisions(run, "nothing is known of the attempt but the ledger")
    }),
    Kind("a winner and a loser exchange their decisions", |run, chance| {
        let won = run.row(chance, |row| is_won(row) && !run.is_earlier(row))?;
        let lost = run.row(chance, |row| is_lost(row) && !run.is_earlier(row))?;
        let [of_won, of_lost] = [won, lost].map(|at| run.ledger.rows[at].status.clone());
        run.decide(won, of_lost);
        run.decide(lost, of_won);
        by_decisions(run, "the order of decisions is not promised, and no buyer was told of these")
    }),
    Kind("two winners exchange their orders", |run, chance| {
        let (a, b) = run.two_rows(chance, is_won)?;
        let [of_a, of_b] = [a, b].map(|at| run.ledger.rows[at].status.clone());
        run.decide(a, of_b);
        run.decide(b, of_a);
        by_decisions(run, "no buyer was told the order")
    }),
    Kind("two winners have the same order", |run, chance| {
        let (a, b) = run.two_rows(chance, is_won)?;
        run.decide(a, run.ledger.rows[b].status.clone());
        Some(Broken(Invariant::OrderIdsUnique))
    }),
    Kind("an order has another id", |run, chance| {
        let (at, order) = (run.row(chance, is_won)?, run.new_order(chance));
        run.decide(at, order);
        by_decisions(run, "no buyer was told the order")
    }),
    Kind("an accepted attempt is queued again", |run, chance| {
        let at = run.row(chance, |row| run.is_accepted(row))?;
        run.decide(at, Status::Queued);
        Some(Broken(Invariant::AcceptedDecided))
    }),
    Kind("an attempt without an answer is queued", |run, chance| {
        let at = run.row(chance, |row| run.is_unanswered(row) && is_lost(row))?;
        run.decide(at, Status::Queued);
        Some(Invisible("a request without an answer may arrive when the ledger is read"))
    }),
    Kind("an attempt lost for another reason", |run, chance| {
        let at = run.row(chance, is_lost)?;
        let sold_out = Status::Lost(Loss::SoldOut);
        let is_sold_out = run.ledger.rows[at].status == sold_out;
        run.decide(at, if is_sold_out { Status::Lost(Loss::AlreadyBought) } else { sold_out });
        by_decisions(run, "no unit was left, the buyer was at the limit, and it was told neither")
    }),
    Kind("an attempt lost as its sale was replaced", |run, chance| {
        let at = run.row(chance, is_lost)?;
        run.decide(at, Status::Lost(Loss::SaleReplaced));
        by_decisions(run, "a fresh sale may have been opened after the last state was read")
    }),
    Kind("an attempt lost as undeliverable", |run, chance| {
        let at = run.row(chance, is_lost)?;
        run.decide(at, Status::Lost(Loss::Undeliverable));
        by_decisions(run, "no client can see what a consumer could not do")
    }),
    Kind("an attempt lost without a reason", |run, chance| {
        let at = run.row(chance, is_lost)?;
        run.decide(at, Status::Lost(Loss::Unstated));
        let is_earlier = run.is_earlier(&run.ledger.rows[at]);
        Some(if is_earlier {
            Broken(Invariant::EarlierKept)
        } else {
            Invisible("the reason of a loss may be left out")
        })
    }),
];

/// What the decisions in the ledger break; nothing, for this reason, if no client was told anything
/// else.
fn by_decisions(run: &Run, because: &'static str) -> Option<Expected> {
    Some(run.broken_by_decisions().map_or(Invisible(because), Broken))
}
