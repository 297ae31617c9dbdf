//! Explains violations: what happened to their witnesses, in order, and what usually causes them.

use std::collections::HashMap;
use std::fmt::Write;

use crate::history::{
    Answered, AttemptNo, Entry, Loss, Refused, RequestWindow, ResultRead, Row, Status,
};
use crate::ids::RequestId;

use super::facts::Facts;
use super::invariant::{Invariant, Violation};
use super::likely_cause::likely_cause;
use super::rules::kept::kept;

/// Maximum number of results, refusals or payments of one attempt that a timeline names.
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
    /// The refusals of attempts without an entry, as far as they were kept one by one.
    refusals: HashMap<RequestId, Vec<(Refused, RequestWindow)>>,
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
        let mut refusals: HashMap<_, Vec<_>> = HashMap::new();
        for (refused, request) in history.refusals.iter().flat_map(|(refused, tally)| {
            kept(tally).into_iter().filter(|of| of.answered_us > 0).map(move |of| (refused, of))
        }) {
            let id = attempts.get(&request.attempt).filter(|id| !entries.contains_key(id));
            id.into_iter().for_each(|id| refusals.entry(*id).or_default().push((refused, request)));
        }
        let mut results: HashMap<_, Vec<_>> = HashMap::new();
        for read in history.results.iter().filter(|read| wanted.contains_key(&read.request_id)) {
            results.entry(read.request_id).or_default().push(read);
        }
        let mut orders = facts.kept.clone();
        orders.sort_by_key(|row| row.decided_us);
        Self { entries, refusals, results, orders }
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
        for (refused, request) in self.refusals.get(&id).into_iter().flatten().take(RESULTS_MAX) {
            events.push((request.sent_us.into(), "sent".into()));
            events.push((request.answered_us.into(), format!("refused: {}", refused.as_str())));
        }
        let since = |us: u64| i128::from(us) - i128::from(began_us);
        if facts.history.before.contains_key(&id) {
            events.push((i128::MIN, "known before the run".into()));
        }
        match facts.row_of(&id) {
            None => events.push((i128::MAX, "not in the ledger".into())),
            Some(row) if !facts.tells.is_everything() => {
                let at = facts.clock.map_or(i128::MAX, |_| since(row.accepted_us));
                events.push((at, format!("in the ledger: {}", state(Some(&row.status)))));
            }
            Some(row) => {
                let text = format!("accepted as number {} of the ledger", row.seq);
                events.push((since(row.accepted_us), text));
                if let Some(decided_us) = row.decided_us {
                    let text = format!("decided {}", state(Some(&row.status)));
                    events.push((since(decided_us), text + &self.neighbour(row)));
                } else {
                    events.push((i128::MAX, "still queued".into()));
                }
                if let Some((order, us)) =
                    row.order.as_ref().and_then(|of| Some((of, of.ended_us?)))
                {
                    events.push((since(us), format!("order {}", order.status.as_str())));
                }
            }
        }
        for read in self.results.get(&id).into_iter().flatten().take(RESULTS_MAX) {
            let text = format!("result read: {}", state(read.status.as_ref()));
            let order = read.order.map_or(String::new(), |order| format!(", {}", order.as_str()));
            events.push((read.answered_us.into(), text + &order));
        }
        let payments = facts.history.payments.iter().filter(|payment| payment.request_id == id);
        for payment in payments.take(RESULTS_MAX) {
            events.push((payment.sent_us.into(), "pays".into()));
            let text = format!("payment answered: {}", payment.answered.as_str());
            events.push((payment.answered_us.into(), text));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::rules::tests::scene::{Scene, order};

    /// The only violation of an invariant in a scene.
    fn violation(scene: &Scene, invariant: Invariant) -> Violation {
        let facts = Facts::gather(&scene.history, &scene.ledger, scene.settled);
        let mut found = scene.violations();
        explain(&facts, &mut found);
        found.retain(|violation| violation.invariant == invariant);
        found.pop().unwrap()
    }

    /// The only timeline of a violation, without the id with which it begins.
    fn timeline(scene: &Scene, invariant: Invariant, id: RequestId) -> String {
        let timelines = violation(scene, invariant).timelines;
        let [timeline] = &timelines[..] else { panic!("{timelines:?}") };
        timeline.strip_prefix(&format!("{id}: ")).unwrap().to_owned()
    }

    #[test]
    fn timeline_tells_of_answers_results_and_rows_in_order() {
        let mut scene = Scene::new();
        scene.read(1, Some(Status::Lost(Loss::SoldOut)), (300, 310));
        let expected = format!(
            "+20.000 ms sent; +30.000 ms answered won tea-1-2; +310.000 ms result read: lost (sold \
             out); +90023.000 ms accepted as number 10 of the ledger; +90025.000 ms decided won \
             tea-1-2, 10000 us after the order of {}",
            scene.id(0)
        );
        assert_eq!(timeline(&scene, Invariant::ResultsTrue, scene.id(1)), expected);
        scene.history.results.clear();
        scene.read(0, Some(Status::Lost(Loss::Unstated)), (300, 310));
        // A server's clock that is behind.
        scene.history.began_us += 100_000_000;
        let expected = "-9987.000 ms accepted as number 0 of the ledger; -9985.000 ms decided won \
                        tea-1-1; +10.000 ms sent; +20.000 ms answered queued; +310.000 ms result \
                        read: lost";
        assert_eq!(timeline(&scene, Invariant::ResultsTrue, scene.id(0)), expected);
    }

    #[test]
    fn timeline_tells_of_refusals_and_of_what_is_missing() {
        let mut scene = Scene::new();
        scene.refuse_made(3, true, (60, 62));
        let id = scene.id(3);
        let expected = "+45.000 ms sent; +55.000 ms answered queued; +60.000 ms sent again; \
                        +62.000 ms refused: sold out; +90048.000 ms accepted as number 30 of the \
                        ledger; +90050.000 ms decided lost (sold out)";
        assert_eq!(timeline(&scene, Invariant::IdsAnsweredOnce, id), expected);
        let mut scene = Scene::new();
        scene.ledger.rows.remove(3);
        let expected = "+45.000 ms sent; +55.000 ms answered queued; not in the ledger";
        assert_eq!(timeline(&scene, Invariant::AcceptedKept, id), expected);
        let mut scene = Scene::new();
        (scene.row(3).status, scene.row(3).decided_us) = (Status::Queued, None);
        let expected = "+45.000 ms sent; +55.000 ms answered queued; +90048.000 ms accepted as \
                        number 30 of the ledger; still queued";
        assert_eq!(timeline(&scene, Invariant::AcceptedDecided, id), expected);
        let mut scene = Scene::new();
        scene.make_earlier();
        scene.ledger.rows.remove(3);
        let expected = "known before the run; not in the ledger";
        assert_eq!(timeline(&scene, Invariant::EarlierKept, id), expected);
    }

    #[test]
    fn timeline_tells_when_a_refused_attempt_was_sent_and_how_it_was_refused() {
        let mut scene = Scene::new();
        let attempt = scene.refuse(Refused::AlreadyBought, 60, 62);
        scene.refuse_again(Refused::NotOpen, attempt, (50, 55));
        let expected = "+50.000 ms sent; +55.000 ms refused: not open; +60.000 ms sent; +62.000 \
                        ms refused: already bought; not in the ledger";
        let id = scene.history.ids.request_id(attempt);
        assert_eq!(timeline(&scene, Invariant::RefusalsTrue, id), expected);
    }

    #[test]
    fn timeline_does_not_number_the_rows_of_a_source_that_tells_only_some_things() {
        let mut scene = Scene::new();
        scene.ledger.tells.positions = false;
        scene.read(1, Some(Status::Lost(Loss::SoldOut)), (300, 310));
        let id = scene.id(1);
        let expected = "+20.000 ms sent; +30.000 ms answered won tea-1-2; +310.000 ms result read: \
                        lost (sold out); +90023.000 ms in the ledger: won tea-1-2";
        assert_eq!(timeline(&scene, Invariant::ResultsTrue, id), expected);
        // Nothing compares these times with those of the run.
        scene.ledger.tells.times = false;
        let expected = expected.replace("+90023.000 ms in", "in");
        assert_eq!(timeline(&scene, Invariant::ResultsTrue, id), expected);
    }

    #[test]
    fn timeline_names_some_results_of_an_attempt() {
        let mut scene = Scene::new();
        scene.entry(5).answered_us = 95_000;
        scene.read(5, None, (99, 100));
        scene.read(5, Some(Status::Queued), (101, 102));
        (0..9).for_each(|ms| scene.read(5, Some(order(4)), (200 + ms, 201 + ms)));
        scene.row(5).decided_us = None;
        let expected = "+80.000 ms sent; +95.000 ms answered nothing usable; +100.000 ms result \
                        read: unknown; +102.000 ms result read: queued; +201.000 ms result read: \
                        won tea-1-4; +202.000 ms result read: won tea-1-4; +90083.000 ms accepted \
                        as number 50 of the ledger; still queued";
        let timelines = violation(&scene, Invariant::ResultsTrue).timelines;
        assert_eq!(timelines[0], format!("{}: {expected}", scene.id(5)));
    }
}
