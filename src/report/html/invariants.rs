//! All invariants, with the witnesses against those that are broken.

use crate::archive::Run;
use crate::judge::{Invariant, Violation};
use crate::report::checks::{LISTED_MAX, timeline, why_not_checked};
use crate::report::words::{count, outside};

/// An invariant.
pub(super) struct InvariantView {
    pub(super) word: &'static str,
    /// What it says.
    pub(super) meaning: &'static str,
    pub(super) sign: &'static str,
    pub(super) state: &'static str,
    pub(super) class: &'static str,
    /// Why it was not checked.
    pub(super) reason: Option<String>,
    pub(super) broken: Option<BrokenView>,
}

/// How an invariant is broken.
pub(super) struct BrokenView {
    pub(super) what: &'static str,
    pub(super) count: String,
    pub(super) cause: Option<String>,
    pub(super) witnesses: Vec<WitnessView>,
}

/// A witness, and what happened to it where it is an attempt.
pub(super) struct WitnessView {
    pub(super) words: String,
    pub(super) events: Vec<EventView>,
}

/// What happened to an attempt at a time.
pub(super) struct EventView {
    /// Since the beginning of the run; empty for what has no time.
    pub(super) at: String,
    pub(super) what: String,
    pub(super) class: &'static str,
}

/// All invariants, the broken ones first.
pub(super) fn invariants(run: &Run) -> Vec<InvariantView> {
    let mut views: Vec<_> = Invariant::ALL.iter().map(|invariant| view(run, *invariant)).collect();
    views.sort_by_key(|view| view.broken.is_none());
    views
}

fn view(run: &Run, invariant: Invariant) -> InvariantView {
    let audit = &run.audit.audit;
    let violation = audit.violations.iter().find(|violation| violation.invariant == invariant);
    let is_checked = audit.checked.contains(&invariant);
    let (sign, state, class) = match (violation, is_checked) {
        (Some(_), _) => ("✗", "broken", "bad"),
        (None, true) => ("✓", "held", "good"),
        (None, false) => ("–", "not checked", "none"),
    };
    InvariantView {
        word: invariant.as_str(),
        meaning: invariant.holds(),
        sign,
        state,
        class,
        reason: (violation.is_none() && !is_checked).then(|| why_not_checked(run)),
        broken: violation.map(broken),
    }
}

fn broken(violation: &Violation) -> BrokenView {
    let witnesses = violation.witnesses.iter().take(LISTED_MAX).map(|witness| WitnessView {
        words: outside(witness),
        events: timeline(violation, witness).map(events).unwrap_or_default(),
    });
    BrokenView {
        what: violation.invariant.broken(),
        count: count(violation.count),
        cause: violation.cause.as_deref().map(outside),
        witnesses: witnesses.collect(),
    }
}

/// The events of a timeline: `id: +1.200 ms sent; not in the ledger`.
fn events(timeline: &str) -> Vec<EventView> {
    let (_, events) = timeline.split_once(": ").unwrap_or_default();
    events.split("; ").take(LISTED_MAX).map(event).collect()
}

fn event(event: &str) -> EventView {
    let is_time = |at: &str| at.starts_with(['+', '-']) && at[1..].parse::<f64>().is_ok();
    let (at, what) = match event.split_once(" ms ") {
        Some((at, what)) if is_time(at) => (format!("{} ms", outside(at)), what),
        _ => (String::new(), event),
    };
    let class = match what.split(' ').next() {
        Some("sent") => "sent",
        Some("answered" | "refused:") => "answered",
        Some("accepted" | "decided") => "decided",
        Some("result") => "read",
        _ => "other",
    };
    EventView { at, what: outside(what), class }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_timeline_are_told_apart() {
        let line = "7c9e: +1.200 ms sent; +2.000 ms answered won a-1; -3.5 ms decided won a-1, 2 \
                    us after the order of x; not in the ledger";
        let parts: Vec<_> = events(line).into_iter().map(|e| (e.at, e.what, e.class)).collect();
        let at = |at: &str, what: &str, class| (at.to_owned(), what.to_owned(), class);
        assert_eq!(
            parts,
            [
                at("+1.200 ms", "sent", "sent"),
                at("+2.000 ms", "answered won a-1", "answered"),
                at("-3.5 ms", "decided won a-1, 2 us after the order of x", "decided"),
                at("", "not in the ledger", "other"),
            ]
        );
        let hostile = events("x: é ms \u{1b}[2J");
        assert_eq!((hostile[0].at.as_str(), hostile[0].what.as_str()), ("", "é ms \\u{1b}[2J"));
    }
}
