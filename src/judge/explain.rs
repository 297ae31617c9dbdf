//! Explains violations: what happened to their witnesses, in order, and what usually causes them.

use std::collections::HashMap;
use std::fmt::Write;

use crate::history::{Answered, AttemptNo, Entry, Loss, ResultRead, Row, Status};
use crate::ids::RequestId;

use super::facts::Facts;
use super::invariant::{Invariant, Violation};

/// Maximum number of results of one attempt that a timeline names.
const RESULTS_MAX: usize = 4;

/// Adds timelines and likely causes to violations.
pub(super) fn explain(facts: &Facts<'_>, violations: &mut [Violation]) {
    let broken: Vec<Invariant> = violations.iter().map(|violation| violation.invariant).collect();
    let witnesses = Witnesses::gather(facts, violations);
    for violation in violations {
        violation.cause = likely_cause(facts, violation.invariant, &broken).map(str::to_owned);
        let ids = violation.witnesses.iter().filter_map(|witness| id_of(witness));
        violation.timelines = ids.map(|id| witnesses.timeline(facts, id)).collect();
    }
}

/// The attempt that a witness names, alone or before a colon.
fn id_of(witness: &str) -> Option<RequestId> {
    witness.split(':').next()?.parse().ok()
}

/// What is known of the attempts that witness a violation.
struct Witnesses<'a> {
    entries: HashMap<RequestId, Vec<&'a Entry>>,
    results: HashMap<RequestId, Vec<&'a ResultRead>>,
    /// Orders by the time of their decision.
    orders: Vec<&'a Row>,
}

impl<'a> Witnesses<'a> {
    fn gather(facts: &Facts<'a>, violations: &[Violation]) -> Self {
        let history = facts.history;
        let words = violations.iter().flat_map(|violation| &violation.witnesses);
        let ids = words.filter_map(|word| id_of(word));
        let wanted: HashMap<RequestId, Option<AttemptNo>> =
            ids.map(|id| (id, history.ids.attempt(&id))).collect();
        let attempts: HashMap<AttemptNo, RequestId> =
            wanted.iter().filter_map(|(id, attempt)| Some(((*attempt)?, *id))).collect();
        let mut entries: HashMap<_, Vec<_>> = HashMap::new();
        for entry in &history.entries {
            if let Some(id) = attempts.get(&entry.attempt) {
                entries.entry(*id).or_default().push(entry);
            }
        }
        let mut results: HashMap<_, Vec<_>> = HashMap::new();
        for read in history.results.iter().filter(|read| wanted.contains_key(&read.request_id)) {
            results.entry(read.request_id).or_default().push(read);
        }
        let mut orders = facts.orders.clone();
        orders.sort_by_key(|row| row.decided_us);
        Self { entries, results, orders }
    }

    /// What happened to one attempt, in order. Times are from the beginning of the run; those of
    /// the ledger are by the tested system's clock.
    fn timeline(&self, facts: &Facts<'_>, id: RequestId) -> String {
        let began_us = facts.history.began_us;
        let mut events: Vec<(i128, String)> = Vec::new();
        for entry in self.entries.get(&id).into_iter().flatten() {
            events.push((entry.sent_us.into(), "sent".into()));
            let told = told(&entry.answered);
            events.push((entry.answered_us.into(), format!("answered {told}")));
            if let Some(refusal) = &entry.refusal {
                let word = refusal.refused.as_str();
                events.push((refusal.request.sent_us.into(), "sent again".into()));
                events.push((refusal.request.answered_us.into(), format!("refused: {word}")));
            }
        }
        let since = |us: u64| i128::from(us) - i128::from(began_us);
        if facts.history.before.contains_key(&id) {
            events.push((i128::MIN, "known before the run".into()));
        }
        match facts.row_of(&id) {
            None => events.push((i128::MAX, "not in the ledger".into())),
            Some(row) => {
                let text = format!("accepted as number {} of the ledger", row.seq);
                events.push((since(row.accepted_us), text));
                if let Some(decided_us) = row.decided_us {
                    let text = format!("decided {}", state(Some(&row.status)));
                    events.push((since(decided_us), text + &self.neighbour(row)));
                } else {
                    events.push((i128::MAX, "still queued".into()));
                }
            }
        }
        for read in self.results.get(&id).into_iter().flatten().take(RESULTS_MAX) {
            let text = format!("result read: {}", state(read.status.as_ref()));
            events.push((read.answered_us.into(), text));
        }
        events.sort_by_key(|(at, _)| *at);
        format!("{id}: {}", listed(&events))
    }

    /// The order that was made next before this one.
    fn neighbour(&self, row: &Row) -> String {
        let at = self.orders.iter().position(|order| std::ptr::eq(*order, row));
        let Some(before) = at.and_then(|at| self.orders.get(at.checked_sub(1)?)) else {
            return String::new();
        };
        let (Some(now), Some(then)) = (row.decided_us, before.decided_us) else {
            return String::new();
        };
        format!(", {} us after the order of {}", now.saturating_sub(then), before.request_id)
    }
}

/// The events in one line.
fn listed(events: &[(i128, String)]) -> String {
    let mut line = String::new();
    for (at, text) in events {
        if !line.is_empty() {
            line += "; ";
        }
        if *at != i128::MIN && *at != i128::MAX {
            let _ = write!(line, "{:+.3} ms ", *at as f64 / 1e3);
        }
        line += text;
    }
    line
}

fn told(answered: &Answered) -> String {
    match answered {
        Answered::Accepted => "queued".into(),
        Answered::Won(order) => format!("won {order}"),
        Answered::Lost(loss) => lost(*loss),
        Answered::Unknown => "nothing usable".into(),
    }
}

fn state(status: Option<&Status>) -> String {
    match status {
        None => "unknown".into(),
        Some(Status::Queued) => "queued".into(),
        Some(Status::Won(order)) => format!("won {order}"),
        Some(Status::Lost(loss)) => lost(*loss),
    }
}

fn lost(loss: Loss) -> String {
    match loss {
        Loss::Unstated => "lost".into(),
        stated => format!("lost ({})", stated.as_str()),
    }
}

/// The usual cause, where the pattern of what is broken shows one.
fn likely_cause(
    facts: &Facts<'_>,
    invariant: Invariant,
    broken: &[Invariant],
) -> Option<&'static str> {
    let sale = &facts.ledger.sale;
    let counted = i128::from(sale.stock_left) + facts.orders.len() as i128;
    let has = |other| broken.contains(&other);
    Some(match invariant {
        Invariant::RequestIdsUnique => {
            "duplicate delivery: an attempt that was delivered again was decided again"
        }
        Invariant::BuyerLimit if has(Invariant::RequestIdsUnique) => {
            "duplicate delivery: an attempt that was delivered again was decided again"
        }
        Invariant::NeverOversold | Invariant::StockConserved
            if counted > i128::from(sale.stock) && sale.stock_left >= 0 =>
        {
            "a lost update, or a unit that was given back twice: the counter went down less often \
             than orders were made"
        }
        Invariant::NeverOversold => {
            "the stock was not checked in the same step in which a unit was taken"
        }
        Invariant::StockConserved => {
            "a unit was taken for an attempt that got no order, and never given back"
        }
        Invariant::BuyerLimit => {
            "the buyer's orders were counted before the order of another request of the buyer was \
             stored"
        }
        Invariant::OrderIdsUnique => {
            "order ids were taken from a counter that was read and written in two steps"
        }
        Invariant::OrdersWereSent => {
            "an attempt was sent on under a new id, for example after a confirm that came late"
        }
        Invariant::RefusalsHold => {
            "the attempt was queued before it was refused: a publish that timed out was taken for \
             one that failed, or a check came after it"
        }
        Invariant::AcceptedKept | Invariant::AcceptedDecided => {
            "a message was lost after it was accepted (published without a confirm, kept in a \
             queue that is not durable, or acknowledged before its decision), or a consumer took \
             it and forgot to acknowledge or to reject it"
        }
        Invariant::SoldOutTrue | Invariant::NoUnsoldStock => {
            "units were taken and never given back, or a flag that says that the sale is sold out \
             was set too early or is never reset"
        }
        _ => return None,
    })
}
