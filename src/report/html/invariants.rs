//! All invariants, with the witnesses against those that are broken.

use crate::archive::Run;
use crate::judge::{Invariant, Violation};
use crate::report::checks::{LISTED_MAX, timeline, why_not_checked};
use crate::report::words::{count, how_often, outside};

use super::scale::Scale;

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

impl InvariantView {
    /// The parts of its name, between which a narrow page may break the line.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.word.split_inclusive('_')
    }
}

/// How an invariant is broken.
pub(super) struct BrokenView {
    pub(super) what: &'static str,
    pub(super) how_often: String,
    /// How many of the witnesses are shown, if not all.
    pub(super) shown: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) witnesses: Vec<WitnessView>,
}

/// A witness, and what happened to it where it is an attempt.
pub(super) struct WitnessView {
    pub(super) words: String,
    pub(super) events: Vec<EventView>,
}

impl WitnessView {
    /// Whether there is more than one time to draw.
    pub(super) fn is_drawn(&self) -> bool {
        self.events.iter().any(|event| event.left.is_some())
    }
}

/// What happened to an attempt at a time.
pub(super) struct EventView {
    /// Since the beginning of the recording; empty for what has no time.
    pub(super) at: String,
    /// Where it lies between the first event and the last, in percent.
    pub(super) left: Option<String>,
    pub(super) what: String,
    pub(super) class: &'static str,
}

/// All invariants, the broken ones first, with at most this many witnesses in all.
pub(super) fn invariants(run: &Run, mut witnesses_max: usize) -> Vec<InvariantView> {
    let each = (witnesses_max / run.audit.audit.violations.len().max(1)).max(1);
    let views = Invariant::ALL.iter().map(|invariant| {
        let view = view(run, *invariant, each.min(witnesses_max));
        witnesses_max -= view.broken.as_ref().map_or(0, |broken| broken.witnesses.len());
        view
    });
    let mut views: Vec<_> = views.collect();
    views.sort_by_key(|view| view.broken.is_none());
    views
}

fn view(run: &Run, invariant: Invariant, witnesses_max: usize) -> InvariantView {
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
        reason: (violation.is_none() && !is_checked).then(|| why_not_checked(run, invariant)),
        broken: violation.map(|violation| broken(violation, witnesses_max)),
    }
}

fn broken(violation: &Violation, witnesses_max: usize) -> BrokenView {
    let shown = violation.witnesses.len().min(witnesses_max);
    let witnesses = violation.witnesses[..shown].iter().map(|witness| WitnessView {
        words: outside(witness),
        events: timeline(violation, witness).map(events).unwrap_or_default(),
    });
    BrokenView {
        what: violation.invariant.broken(),
        how_often: how_often(violation.count),
        shown: (violation.count > shown as u64)
            .then(|| format!("{shown} of {} are shown", count(violation.count))),
        cause: violation.cause.as_deref().map(outside),
        witnesses: witnesses.collect(),
    }
}

/// The events of a timeline: `id: +1.200 ms sent; not in the ledger`.
fn events(timeline: &str) -> Vec<EventView> {
    let (_, events) = timeline.split_once(": ").unwrap_or_default();
    let timed: Vec<_> = events.split("; ").take(LISTED_MAX).map(time).collect();
    let times = || timed.iter().filter_map(|(at, _)| *at);
    let axis = Scale::exact(times().fold(f64::MAX, f64::min), times().fold(f64::MIN, f64::max));
    let is_drawn = times().count() > 1;
    let view = |(at, what): &(Option<f64>, &str)| EventView {
        at: at.map(since).unwrap_or_default(),
        left: at.filter(|_| is_drawn).map(|at| format!("{:.1}", axis.at(at) * 100.0)),
        what: outside(what),
        class: class(what),
    };
    timed.iter().map(view).collect()
}

/// Milliseconds since the beginning of the recording, to the microsecond, in the unit that suits
/// them.
fn since(ms: f64) -> String {
    match ms.abs() < 1_000.0 {
        true => format!("{ms:+.3}\u{a0}ms"),
        false => format!("{:+.6}\u{a0}s", ms / 1e3),
    }
}

/// When an event was, in milliseconds since the beginning of the recording, and what it was.
fn time(event: &str) -> (Option<f64>, &str) {
    let timed = event.split_once(" ms ").filter(|(at, _)| at.starts_with(['+', '-']));
    let timed = timed.and_then(|(at, what)| Some((at.parse::<f64>().ok()?, what)));
    timed.filter(|(at, _)| at.is_finite()).map_or((None, event), |(at, what)| (Some(at), what))
}

fn class(what: &str) -> &'static str {
    match what.split(' ').next() {
        Some("sent") => "sent",
        Some("answered" | "refused:") => "answered",
        Some("accepted" | "decided") => "decided",
        Some("result") => "read",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_timeline_are_told_apart() {
        let line = "7c9e: -12345.000 ms decided won a-1, 2 us after the order of x; \
                    +1.500 ms sent; +6.500 ms answered won a-1; not in the ledger";
        let parts: Vec<_> = events(line).into_iter().map(|e| (e.at, e.what, e.class)).collect();
        let at = |at: &str, what: &str, class| (at.to_owned(), what.to_owned(), class);
        assert_eq!(
            parts,
            [
                at("-12.345000\u{a0}s", "decided won a-1, 2 us after the order of x", "decided"),
                at("+1.500\u{a0}ms", "sent", "sent"),
                at("+6.500\u{a0}ms", "answered won a-1", "answered"),
                at("", "not in the ledger", "other"),
            ]
        );
        let hostile = &events("x: é ms \u{1b}[2J; +inf ms sent")[..];
        let [escape, endless] = hostile else { panic!("two events") };
        assert_eq!((escape.at.as_str(), escape.what.as_str()), ("", "é ms \\u{1b}[2J"));
        assert_eq!((endless.at.as_str(), endless.what.as_str()), ("", "+inf ms sent"));
    }

    #[test]
    fn events_are_drawn_between_the_first_and_the_last() {
        let left = |line| events(line).into_iter().map(|event| event.left).collect::<Vec<_>>();
        let at = |percent: &str| Some(percent.to_owned());
        let line = "x: -3.500 ms decided; +1.500 ms sent; +6.500 ms answered; not in the ledger";
        assert_eq!(left(line), [at("0.0"), at("50.0"), at("100.0"), None]);
        assert_eq!(left("x: +1.500 ms sent; not in the ledger"), [None, None]);
    }
}
