//! Times of the ledger that cannot be, and clocks that are ahead.

use seckill::judge::Invariant;

use super::Expected::{Broken, Invisible};
use super::Kind;
use super::recorded::shift_clock;
use super::run::{Run, is_won};

/// Seconds in a year.
const YEAR: u64 = 365 * 24 * 3600;

/// With fewer accepted attempts, one of them may be the median that the others are compared with.
const ACCEPTED_MIN: usize = 3;

pub(super) const KINDS: &[Kind] = &[
    Kind("an accepted attempt is backdated", |run, chance| {
        let at = run.row(chance, |row| run.is_accepted(row))?;
        let by_us = chance.seconds(120, 20 * YEAR);
        run.ledger.rows[at].accepted_us -= by_us;
        (run.accepted() >= ACCEPTED_MIN).then_some(Broken(Invariant::RowsSane))
    }),
    Kind("an accepted attempt is accepted in the future", |run, chance| {
        let at = run.row(chance, |row| run.is_accepted(row))?;
        let by_us = chance.seconds(120, 20 * YEAR);
        let row = &mut run.ledger.rows[at];
        row.accepted_us += by_us;
        row.decided_us = row.decided_us.map(|us| us + by_us);
        (run.accepted() >= ACCEPTED_MIN).then_some(Broken(Invariant::RowsSane))
    }),
    Kind("an accepted attempt is backdated by less than a minute", |run, chance| {
        let at = run.row(chance, |row| run.is_accepted(row))?;
        run.ledger.rows[at].accepted_us -= 1 + chance.seconds(0, 50);
        (run.accepted() >= ACCEPTED_MIN)
            .then_some(Invisible("the clocks of a right system may be a minute apart"))
    }),
    Kind("an attempt without an answer is backdated", |run, chance| {
        let at = run.row(chance, |row| run.is_unanswered(row))?;
        run.ledger.rows[at].accepted_us -= chance.seconds(120, 20 * YEAR);
        (run.accepted() >= ACCEPTED_MIN).then_some(Broken(Invariant::RowsSane))
    }),
    Kind("an attempt without an answer has an effect later", |run, chance| {
        let at = run.row(chance, |row| run.is_unanswered(row))?;
        let by_us = chance.seconds(0, 3_600);
        let row = &mut run.ledger.rows[at];
        row.accepted_us += by_us;
        row.decided_us = row.decided_us.map(|us| us + by_us);
        Some(Invisible("a request without an answer may arrive at any time"))
    }),
    Kind("an attempt is decided before it is accepted", |run, chance| {
        let at = run.row(chance, |row| row.decided_us.is_some())?;
        let row = &mut run.ledger.rows[at];
        // The clock may be 90 s ahead, and clocks may be a minute apart.
        row.decided_us = Some(row.accepted_us - chance.seconds(160, 20 * YEAR));
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("a decision is backdated by less than a minute", |run, chance| {
        let at = run.row(chance, |row| row.decided_us.is_some() && !run.is_earlier(row))?;
        let row = &mut run.ledger.rows[at];
        row.decided_us = row.decided_us.map(|us| us - 1 - chance.seconds(0, 50));
        Some(Invisible("the clocks of a right system may be a minute apart"))
    }),
    Kind("an accepted attempt is decided in the future", |run, chance| {
        let at = run.row(chance, |row| run.is_accepted(row))?;
        let row = &mut run.ledger.rows[at];
        row.decided_us = Some(row.accepted_us + chance.seconds(600, 20 * YEAR));
        Some(Broken(Invariant::RowsSane))
    }),
    Kind("the server's clock is days ahead", |run, chance| {
        shift_clock(run, chance.seconds(26 * 3600, YEAR));
        (run.accepted() > 0).then_some(Broken(Invariant::RowsSane))
    }),
    Kind("the server's clock is some hours ahead", |run, chance| {
        shift_clock(run, chance.seconds(1, 20 * 3600));
        Some(Invisible("the clock of a right server may be ahead"))
    }),
    Kind("a request is sent minutes after its attempt was accepted", |run, chance| {
        let at = run.entry(chance, |entry| run.row_of(entry).is_some())?;
        let by_us = chance.seconds(120, 3_600);
        let entry = &mut run.history.entries[at];
        (entry.sent_us, entry.answered_us) = (entry.sent_us + by_us, entry.answered_us + by_us);
        (run.accepted() >= ACCEPTED_MIN).then_some(Broken(Invariant::RowsSane))
    }),
    Kind("the sale opens after an attempt was answered that won", |run, chance| {
        let opens_us = winning_us(run, chance)? + chance.seconds(1, 60);
        set_hours(run, Some(opens_us), None);
        Some(Broken(Invariant::WithinHours))
    }),
    Kind("the sale closes before an attempt is sent that wins", |run, chance| {
        let closes_us = winning_us(run, chance)? - chance.seconds(1, 60);
        set_hours(run, None, Some(closes_us));
        Some(Broken(Invariant::WithinHours))
    }),
];

/// When some accepted attempt was accepted that won, by the server's clock.
fn winning_us(run: &Run, chance: &mut super::run::Chance) -> Option<u64> {
    let at = run.row(chance, |row| is_won(row) && run.is_accepted(row))?;
    Some(run.ledger.rows[at].accepted_us)
}

/// Shows other hours wherever the sale is shown.
fn set_hours(run: &mut Run, opens_us: Option<u64>, closes_us: Option<u64>) {
    run.change_sale(
        |sale| (sale.hours.opens_us, sale.hours.closes_us) = (opens_us, closes_us),
        |view| (view.hours.opens_us, view.hours.closes_us) = (opens_us, closes_us),
    );
}
