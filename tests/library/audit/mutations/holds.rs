//! Held orders that end twice, or otherwise than their buyers were told, or by no rule.

use seckill::history::{OrderState, OrderStatus, PaymentAnswer, Row};
use seckill::judge::Invariant;

use super::Expected::{Broken, Invisible};
use super::Kind;
use super::run::{Chance, Run};

/// The invariants that are about held orders only.
pub(super) const BROKEN: [Invariant; 2] = [Invariant::OrdersEndOnce, Invariant::DeadlinesHold];

pub(super) const KINDS: &[Kind] = &[
    Kind("a unit comes back twice", |run, _| {
        run.ledger.sale.stock_left += 1;
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("a unit does not come back", |run, chance| {
        let at = order(run, chance, |status| status.takes_unit())?;
        end(run, at, OrderStatus::Expired);
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("units that are held are shown as paid, too", |run, chance| {
        let mut views = run.views();
        let at = chance.pick((0..views.len()).filter(|at| views[*at].sale.paid.is_some()))?;
        views[at].sale.paid = views[at].sale.paid.map(|paid| paid + 1);
        run.set_views(views);
        Some(Broken(Invariant::StockConserved))
    }),
    Kind("more units are held and paid for than there are", |run, _| {
        let stock = run.ledger.sale.stock as usize;
        let rows = run.ledger.rows.iter_mut().filter(|row| row.order.is_some());
        for row in rows {
            let order = row.order.as_mut().unwrap();
            let ended_us = order.held_until_us - 1;
            (order.status, order.ended_us) = (OrderStatus::Paid, Some(ended_us));
        }
        let sold = run.ledger.rows.iter().filter(|row| row.takes_unit()).count();
        (sold > stock).then_some(Broken(Invariant::NeverOversold))
    }),
    Kind("a payment is honoured, and the order expires", |run, chance| {
        let at = payment(run, chance, |answered| answered == PaymentAnswer::Paid)?;
        let row = run.row_at(&run.history.payments[at].request_id)?;
        end(run, row, OrderStatus::Expired);
        run.ledger.sale.stock_left += 1;
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("a payment is honoured, and the order stays held", |run, chance| {
        let at = payment(run, chance, |answered| answered == PaymentAnswer::Paid)?;
        let row = run.row_at(&run.history.payments[at].request_id)?;
        let order = run.ledger.rows[row].order.as_mut()?;
        (order.status, order.ended_us) = (OrderStatus::Held, None);
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("a payment is refused, and the order is paid for", |run, chance| {
        let at = payment(run, chance, |answered| answered == PaymentAnswer::Paid)?;
        run.history.payments[at].answered = PaymentAnswer::Expired;
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("an order is called unknown", |run, chance| {
        let at = payment(run, chance, |_| true)?;
        run.history.payments[at].answered = PaymentAnswer::UnknownOrder;
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("a payment is answered in two ways", |run, chance| {
        let at = payment(run, chance, |answered| answered == PaymentAnswer::Paid)?;
        let mut again = run.history.payments[at].clone();
        again.answered = PaymentAnswer::Cancelled;
        run.history.payments.push(again);
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("an answer to a payment is lost", |run, chance| {
        let at = payment(run, chance, |answered| answered != PaymentAnswer::Unknown)?;
        run.history.payments[at].answered = PaymentAnswer::Unknown;
        Some(Invisible("what is left is right"))
    }),
    Kind("a paid order is read as held afterwards", |run, chance| {
        let at = payment(run, chance, |answered| answered == PaymentAnswer::Paid)?;
        let paid = run.history.payments[at].clone();
        let mut read = run.history.results.iter().find(|read| read.order.is_some())?.clone();
        read.request_id = paid.request_id;
        read.status = Some(run.ledger.rows[run.row_at(&paid.request_id)?].status.clone());
        read.order = Some(OrderStatus::Held);
        (read.sent_us, read.answered_us) = (paid.answered_us + 1, paid.answered_us + 2);
        run.history.results.push(read);
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("an order is paid for after its deadline", |run, chance| {
        let at = order(run, chance, |status| status == OrderStatus::Paid)?;
        let order = run.ledger.rows[at].order.as_mut()?;
        order.ended_us = Some(order.held_until_us + chance.below(1_000_000));
        Some(Broken(Invariant::DeadlinesHold))
    }),
    Kind("an order is held for another time than the sale says", |run, chance| {
        let at = order(run, chance, |_| true)?;
        run.ledger.rows[at].order.as_mut()?.held_until_us += 1 + chance.below(1_000_000);
        Some(Broken(Invariant::DeadlinesHold))
    }),
    Kind("the sale's hold changes", |run, chance| {
        let mut views = run.views();
        let at = chance.below(views.len() as u64) as usize;
        views[at].sale.hold_us = views[at].sale.hold_us.map(|us| us + 1);
        run.set_views(views);
        Some(Broken(Invariant::ViewsAgree))
    }),
    Kind("a held order is paid for, and nobody has paid", |run, chance| {
        end_in_time(run, chance, OrderStatus::Paid)?;
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("a held order is cancelled, and nobody has cancelled it", |run, chance| {
        end_in_time(run, chance, OrderStatus::Cancelled)?;
        run.ledger.sale.stock_left += 1;
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("a payment is refused as without effect, and has one", |run, chance| {
        let at = payment(run, chance, |answered| answered == PaymentAnswer::Paid)?;
        let paid = run.history.payments[at].request_id;
        for payment in run.history.payments.iter_mut().filter(|one| one.request_id == paid) {
            payment.answered = PaymentAnswer::Refused;
        }
        run.history.results.retain(|read| read.request_id != paid);
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("an order that has expired is read as held long after it", |run, chance| {
        let at = order(run, chance, |status| status == OrderStatus::Expired)?;
        let row = run.ledger.rows[at].clone();
        let mut read = run.history.results.iter().find(|read| read.order.is_some())?.clone();
        (read.request_id, read.status) = (row.request_id, Some(row.status));
        read.order = Some(OrderStatus::Held);
        (read.sent_us, read.answered_us) = (3 * HOUR_US, 3 * HOUR_US + 1);
        run.history.results.push(read);
        Some(Broken(Invariant::OrdersEndOnce))
    }),
    Kind("an order expires in the future", |run, chance| {
        let at = order(run, chance, |status| status == OrderStatus::Expired)?;
        *run.ledger.rows[at].order.as_mut()?.ended_us.as_mut()? += 48 * HOUR_US;
        Some(Broken(Invariant::DeadlinesHold))
    }),
    Kind("an order is paid for long before its decision", |run, chance| {
        let at = order(run, chance, |status| status == OrderStatus::Paid)?;
        run.ledger.rows[at].order.as_mut()?.ended_us = Some(1 + chance.below(1_000_000));
        Some(Broken(Invariant::DeadlinesHold))
    }),
];

const HOUR_US: u64 = 3_600_000_000;

/// The position of the row of an order.
fn order(run: &Run, chance: &mut Chance, is_wanted: impl Fn(OrderStatus) -> bool) -> Option<usize> {
    run.row(chance, |row: &Row| row.order.as_ref().is_some_and(|order| is_wanted(order.status)))
}

fn payment(
    run: &Run,
    chance: &mut Chance,
    is_wanted: impl Fn(PaymentAnswer) -> bool,
) -> Option<usize> {
    let payments = &run.history.payments;
    chance.pick((0..payments.len()).filter(|at| is_wanted(payments[*at].answered)))
}

/// Ends a held order at its deadline's last moment, and leaves the units as they are.
fn end_in_time(run: &mut Run, chance: &mut Chance, status: OrderStatus) -> Option<()> {
    let at = order(run, chance, |status| status == OrderStatus::Held)?;
    let order = run.ledger.rows[at].order.as_mut()?;
    (order.status, order.ended_us) = (status, Some(order.held_until_us - 1));
    Some(())
}

/// Ends an order, and leaves the units as they are.
fn end(run: &mut Run, at: usize, status: OrderStatus) {
    let row = &mut run.ledger.rows[at];
    let held_until_us = row.order.as_ref().unwrap().held_until_us;
    let ended_us = Some(held_until_us + 5);
    row.order = Some(Box::new(OrderState { status, held_until_us, ended_us }));
}
