//! How many orders the states of a sale show as paid for: those that buyers have paid for by then.

use crate::history::{OrderStatus, Payment, PaymentAnswer, Row, View};
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::invariant::Witnesses;
use crate::judge::origin::Origin;

/// Compares the orders that are paid for in each state with the payments that were certainly
/// honoured before it was requested, and with those that can have been honoured when it was
/// answered. An order that is paid for stays so.
pub(super) fn paid_reads_bounded(facts: &Facts<'_>, views: &[&View], broken: &mut Witnesses) {
    let paid = Paid::of(facts);
    let first_us = facts.made().map(|made| made.entry.sent_us).min();
    for View { sent_us, answered_us, sale } in views {
        let Some(shown) = sale.paid else { continue };
        // The first state was read before the ledger before the run.
        let is_after_ledger = first_us.is_some_and(|first_us| first_us <= *sent_us);
        let certain = paid.by_us.partition_point(|us| us < sent_us)
            + if is_after_ledger { paid.before } else { 0 };
        let possible = paid.before + paid.from_us.partition_point(|us| us <= answered_us);
        let ms = sent_us / 1_000;
        if shown < certain as u64 {
            broken.add(format_args!("{shown} orders paid for at {ms} ms, at least {certain} were"));
        } else if shown > possible as u64 {
            let most = format_args!("at most {possible} can be");
            broken.add(format_args!("{shown} orders paid for at {ms} ms, {most}"));
        }
    }
}

/// The orders that are paid for.
struct Paid {
    /// Those that were before the run.
    before: usize,
    /// From when on the others can have been, in order.
    from_us: Vec<u64>,
    /// By when those of whom the ledger says so had been, in order: their buyers were told.
    by_us: Vec<u64>,
}

impl Paid {
    fn of(facts: &Facts<'_>) -> Self {
        let is = |row: &Row, status| row.order.as_ref().is_some_and(|of| of.status == status);
        let is_paid = |row: &Row| is(row, OrderStatus::Paid);
        let was_paid = |row: &Row| facts.history.before.get(&row.request_id).is_some_and(is_paid);
        // When the first payment was sent that may have been honoured, and by when it was.
        let mut payments: IdMap<(u64, u64)> = IdMap::default();
        for Payment { request_id, answered, sent_us, answered_us, .. } in &facts.history.payments {
            let by_us = match answered {
                PaymentAnswer::Paid => *answered_us,
                PaymentAnswer::Unknown => u64::MAX,
                _ => continue,
            };
            let payment = payments.entry(*request_id).or_insert((u64::MAX, u64::MAX));
            *payment = (payment.0.min(*sent_us), payment.1.min(by_us));
        }
        let (mut from_us, mut by_us) = (Vec::new(), Vec::new());
        for (row, origin) in facts.rows().filter(|(row, _)| !was_paid(row)) {
            match payments.get(&row.request_id) {
                Some((sent_us, told_us)) => {
                    from_us.push(*sent_us);
                    // If the ledger has it otherwise, that breaks another invariant.
                    by_us.extend(is_paid(row).then_some(*told_us));
                }
                // Somebody else has paid, or another invariant is broken.
                None if is_paid(row) => from_us.push(0),
                // Somebody else may have paid since the ledger was read.
                None if is(row, OrderStatus::Held) && origin != Origin::Made => from_us.push(0),
                None => {}
            }
        }
        from_us.sort_unstable();
        by_us.sort_unstable();
        let before = facts.history.before.values().filter(|row| is_paid(row)).count();
        Self { before, from_us, by_us }
    }
}
