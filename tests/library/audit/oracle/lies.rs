//! Lies: one answer, reading, row or time of a run is another one than the sale has given.

use seckill::history::{Answered, Ids, Ledger, Loss, Refused, Row, Status};
use seckill::settings::Buyers;

use super::random::Random;
use super::run::{Answer, Run};
use super::sale::order;

const LOSSES: [Loss; 3] = [Loss::SoldOut, Loss::AlreadyBought, Loss::Unstated];

const REFUSALS: [Refused; 7] = [
    Refused::SoldOut,
    Refused::AlreadyBought,
    Refused::SoldOut,
    Refused::AlreadyBought,
    Refused::Unavailable,
    Refused::Invalid,
    Refused::IdReused,
];

/// Tells one lie, unless there is nothing to lie about.
pub(super) fn tell(run: &mut Run, random: &mut Random) {
    match random.below(12) {
        0 | 1 => answer(run, random),
        2 | 3 => result(run, random),
        4 | 5 => state(run, random),
        6 | 7 => row(run, random),
        8 => units(run, random),
        _ => time(run, random),
    }
}

fn answer(run: &mut Run, random: &mut Random) {
    let at = random.index(run.requests.len());
    let other = random.index(run.requests.len());
    run.requests[at].answer = match random.below(6) {
        0 => Answer::Answered(Answered::Accepted),
        1 => Answer::Answered(Answered::Won(Box::new(order(random.between(1, 5))))),
        2 => Answer::Answered(Answered::Lost(random.pick(&LOSSES))),
        3 => Answer::Answered(Answered::Unknown),
        4 => Answer::Refused(random.pick(&REFUSALS)),
        _ => run.requests[other].answer.clone(),
    };
}

fn status(random: &mut Random) -> Status {
    match random.below(3) {
        0 => Status::Queued,
        1 => Status::Won(order(random.between(1, 5))),
        _ => Status::Lost(random.pick(&LOSSES)),
    }
}

fn result(run: &mut Run, random: &mut Random) {
    if run.results.is_empty() {
        return state(run, random);
    }
    let at = random.index(run.results.len());
    run.results[at].status = (!random.chance(30)).then(|| status(random));
}

fn state(run: &mut Run, random: &mut Random) {
    let settled = run.settled();
    let at = random.index(run.views.len() + 1);
    let Some(view) = run.views.iter_mut().chain(&mut run.again.1).nth(at) else { return };
    let sale = &mut view.sale;
    let by = random.between(1, 2) as i64 * if random.chance(50) { 1 } else { -1 };
    let changed = |number: u64| number.saturating_add_signed(by);
    match random.below(7) {
        0 | 1 => sale.orders = changed(sale.orders),
        2 | 3 => sale.stock_left += by,
        4 => {
            sale.orders = changed(sale.orders);
            sale.stock_left = sale.stock as i64 - sale.orders as i64;
        }
        5 => sale.queued = changed(sale.queued),
        _ => sale.stock = changed(sale.stock),
    }
    run.is_settled &= run.settled() == settled;
}

/// Changes one row, wherever the ledger is read after the load.
fn row(run: &mut Run, random: &mut Random) {
    let rows = run.ledger.rows.len();
    if rows == 0 {
        return state(run, random);
    }
    let id = run.ledger.rows[random.index(rows)].request_id;
    let (kind, status) = (random.below(8), status(random));
    let other = random.index(rows);
    let stranger = Ids::new(random.bits(), Buyers::New).unmarked();
    let thread = random.below(2) as u32;
    let attempt = run.requests[random.index(run.requests.len())].window.attempt;
    let change = |ledger: &mut Ledger| {
        let Some(at) = ledger.rows.iter().position(|row| row.request_id == id) else { return };
        let rows = &mut ledger.rows;
        match kind {
            0..=2 => rows[at].status = status.clone(),
            3 => drop(rows.remove(at)),
            4 => rows.swap(at, other),
            5 => rows[at].uid = rows[other].uid.clone(),
            _ => {
                let ids = if kind == 6 { run.ids } else { stranger };
                let attempt = seckill::history::AttemptNo { thread, ..attempt };
                rows.push(Row {
                    request_id: ids.request_id(attempt),
                    uid: ids.buyer(attempt).to_string().into(),
                    seq: 1000,
                    status: status.clone(),
                    ..rows[at].clone()
                });
            }
        }
        for row in rows {
            let decided_us = row.decided_us.unwrap_or(row.accepted_us);
            row.decided_us = (row.status != Status::Queued).then_some(decided_us);
        }
        let orders = ledger.rows.iter().filter(|row| matches!(row.status, Status::Won(_)));
        ledger.sale.stock_left = ledger.sale.stock as i64 - orders.count() as i64;
    };
    change(&mut run.ledger);
    change(&mut run.again.0);
}

fn units(run: &mut Run, random: &mut Random) {
    let (kind, by) = (random.below(3), random.between(1, 2));
    for ledger in [&mut run.ledger, &mut run.again.0] {
        match kind {
            0 => ledger.sale.stock_left += by as i64,
            1 => ledger.sale.stock += by,
            _ => ledger.sale.per_buyer += by as u32,
        }
    }
}

/// Something was sent or answered at another time than the sale has seen it, during the load.
fn time(run: &mut Run, random: &mut Random) {
    let mut other = run.clone();
    move_one(&mut other, random);
    if other.asks_for_what_was_sent() {
        *run = other;
    }
}

fn move_one(run: &mut Run, random: &mut Random) {
    let (first_us, ended_us) = (run.first_us(), run.ended_us());
    let mut windows = run.windows_of_load();
    if windows.is_empty() {
        return;
    }
    let at = random.index(windows.len());
    let (sent_us, answered_us) = &mut windows[at];
    let by_us = (ended_us - first_us) * random.between(1, 40) / 100;
    let is_earlier = random.chance(50);
    let moved = |us: u64| {
        let moved = if is_earlier { us.saturating_sub(by_us) } else { us + by_us };
        moved.clamp(first_us, ended_us)
    };
    let (moves_sent, moves_answered) = random.pick(&[(true, true), (true, false), (false, true)]);
    let sent = if moves_sent { moved(**sent_us) } else { **sent_us };
    let answered = if moves_answered { moved(**answered_us) } else { **answered_us };
    (**sent_us, **answered_us) = (sent.min(answered), sent.max(answered));
    run.sort_views();
}
