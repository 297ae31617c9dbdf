//! Everything that a run is judged by, as a list of checks: the invariants, the thresholds, and the
//! run itself. JUnit, the summary, the page and the annotations of GitHub print the same list.

use crate::archive::{Run, Tally};
use crate::judge::{Invariant, ThresholdResult, Verdict, Violation};

use super::words::{INSECURE, how_often, outside};

/// Largest number of checks of one kind, and of details of one check, that are reported: a recorded
/// run that was not written by this program could have any number.
pub(super) const LISTED_MAX: usize = 100;

/// What a check belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An invariant of the sale.
    Invariant,
    /// A threshold of `--fail-if` or `--abort-on`.
    Threshold,
    /// The run itself: whether it is valid and complete, and whether the audit came to a verdict.
    Run,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Invariant => "invariants",
            Self::Threshold => "thresholds",
            Self::Run => "run",
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It holds.
    Held,
    /// It does not hold.
    Broken,
    /// It was not checked, as was wanted, or for want of evidence.
    NotChecked,
    /// It should have been checked, and could not be.
    Undecided,
}

/// A check with its result. All texts are printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) state: State,
    /// What is broken, or why it was not checked; empty for one that holds.
    pub(super) message: String,
    /// The evidence, in lines.
    pub(super) details: Vec<String>,
}

/// The checks of the run itself: what holds, and what it is called where it does not.
const VERDICT: (&str, &str) = ("the audit has a verdict", "the audit has no verdict");
const VALID: (&str, &str) = ("the run is valid", "the run is invalid");
const COMPLETE: (&str, &str) =
    ("the run reached the end of its plan", "the run ended before the end of its plan");

impl Check {
    /// What a check that does not hold is called.
    pub(super) fn problem(&self) -> &str {
        let of_run = [VERDICT, VALID, COMPLETE].into_iter().filter(|_| self.kind == Kind::Run);
        let problem = of_run.into_iter().find(|(held, _)| *held == self.name);
        problem.map_or(&self.name, |(_, broken)| broken)
    }

    fn new(kind: Kind, name: &str, state: State, message: String) -> Self {
        Self { kind, name: name.to_owned(), state, message, details: Vec::new() }
    }
}

/// All checks of a run.
pub(super) fn checks(run: &Run) -> Vec<Check> {
    let mut checks: Vec<Check> =
        Invariant::ALL.iter().map(|invariant| of_invariant(run, *invariant)).collect();
    checks.extend(thresholds(run));
    checks.extend(aborts(run));
    checks.push(verdict(run));
    checks.push(valid(run));
    checks.push(complete(run));
    checks
}

fn of_invariant(run: &Run, invariant: Invariant) -> Check {
    let audit = &run.audit.audit;
    let check = |state, message| Check::new(Kind::Invariant, invariant.as_str(), state, message);
    match audit.violations.iter().find(|violation| violation.invariant == invariant) {
        Some(violation) => Check {
            details: details(violation),
            ..check(
                State::Broken,
                format!("{} ({})", invariant.broken(), how_often(violation.count)),
            )
        },
        None if audit.checked.contains(&invariant) => check(State::Held, String::new()),
        None => check(State::NotChecked, why_not_checked(run, invariant)),
    }
}

/// The likely cause and the witnesses, each with its timeline where it has one.
fn details(violation: &Violation) -> Vec<String> {
    let cause = violation.cause.iter().map(|cause| format!("Likely cause: {}", outside(cause)));
    let witnesses = violation.witnesses.iter().take(LISTED_MAX).flat_map(|witness| {
        let timeline = timeline(violation, witness);
        // A timeline begins with the id that the witness is.
        let is_repeated = timeline.is_some_and(|line| line.split(": ").next() == Some(witness));
        let named = (!is_repeated).then_some(witness.as_str());
        named.into_iter().chain(timeline).map(outside)
    });
    cause.chain(witnesses).collect()
}

/// The timeline of the attempt that a witness names.
pub(super) fn timeline<'a>(violation: &'a Violation, witness: &str) -> Option<&'a str> {
    let id = witness.split(':').next().filter(|id| !id.is_empty())?;
    let mut lines = violation.timelines.iter().map(String::as_str);
    lines.find(|line| line.strip_prefix(id).is_some_and(|rest| rest.starts_with(": ")))
}

/// Why an invariant was not checked.
pub(super) fn why_not_checked(run: &Run, invariant: Invariant) -> String {
    let (audit, gaps) = (&run.audit.audit, &run.evidence_gaps);
    if let Some(of) = audit.not_checked.iter().find(|of| of.invariant == invariant) {
        return outside(&of.because);
    }
    let because = [&audit.because, &gaps.server, &gaps.ledger, &gaps.settled];
    match because.into_iter().flatten().next() {
        Some(because) => outside(because),
        None if audit.checked.is_empty() => "the recording does not say so".to_owned(),
        None => "the evidence for it is missing".to_owned(),
    }
}

fn thresholds(run: &Run) -> impl Iterator<Item = Check> {
    run.thresholds.iter().take(LISTED_MAX).map(|result| {
        let (state, message) = match (result.passed, result.measured) {
            (true, _) => (State::Held, String::new()),
            (false, Some(_)) => (State::Broken, outside(&result.to_string())),
            (false, None) => (State::Undecided, outside(&result.to_string())),
        };
        Check::new(Kind::Threshold, &outside(&result.expr), state, message)
    })
}

/// The results of all thresholds, each with a word for it; last the one that ended the run.
pub(super) fn judged(run: &Run) -> impl Iterator<Item = (&ThresholdResult, &'static str)> {
    let of_plan = run.thresholds.iter().take(LISTED_MAX).map(|result| {
        let word = match (result.passed, result.measured) {
            (true, _) => "passed",
            (false, Some(_)) => "crossed",
            (false, None) => "not measured",
        };
        (result, word)
    });
    of_plan.chain(run.aborted_by.iter().map(|result| (result, "ended the run")))
}

/// The thresholds of `--abort-on`: the one that ended the run was crossed.
fn aborts(run: &Run) -> impl Iterator<Item = Check> {
    let aborted_by = run.aborted_by.as_ref();
    run.plan.plan.abort_on.iter().take(LISTED_MAX).map(move |expr| {
        let crossed = aborted_by.filter(|result| result.expr == expr.trim());
        let (state, message) = match crossed {
            None => (State::Held, String::new()),
            Some(result) => {
                (State::Broken, format!("ended the run: {}", outside(&result.to_string())))
            }
        };
        let name = format!("--abort-on {}", outside(expr.trim()));
        Check::new(Kind::Threshold, &name, state, message)
    })
}

fn verdict(run: &Run) -> Check {
    let audit = &run.audit.audit;
    let because = || outside(audit.because.as_deref().unwrap_or("no reason was given"));
    let (state, message) = match audit.verdict {
        // The invariants that are broken are checks of their own.
        Verdict::Pass | Verdict::Fail => (State::Held, String::new()),
        Verdict::Unknown => (State::Undecided, because()),
        Verdict::NotAudited => (State::NotChecked, because()),
    };
    Check::new(Kind::Run, VERDICT.0, state, message)
}

fn valid(run: &Run) -> Check {
    let generator = &run.generator;
    let state = if generator.valid { State::Held } else { State::Broken };
    let findings = generator.findings.iter().take(LISTED_MAX);
    let mut findings = findings.map(|finding| outside(&finding.to_string()));
    let message = match generator.valid {
        true => String::new(),
        false => findings.next().unwrap_or_else(|| "no reason was given".to_owned()),
    };
    Check { details: findings.collect(), ..Check::new(Kind::Run, VALID.0, state, message) }
}

fn complete(run: &Run) -> Check {
    let (state, message) = match &run.requests.stopped_early {
        None => (State::Held, String::new()),
        Some(because) => (State::Undecided, outside(because)),
    };
    Check::new(Kind::Run, COMPLETE.0, state, message)
}

/// What else is to be known of a run: the cause of its errors, and what it did not check.
pub(super) fn notes(run: &Run) -> impl Iterator<Item = (&'static str, String)> {
    let cause = run.requests.cause.as_deref().map(|cause| ("Cause of the errors", outside(cause)));
    let insecure = run.plan.plan.insecure.then(|| ("Insecure", INSECURE.to_owned()));
    let unread = unread_ledger(run).map(|text| ("Ledger", text));
    cause.into_iter().chain(insecure).chain(unread)
}

/// What an accusation without a ledger rests on.
pub(super) fn unread_ledger(run: &Run) -> Option<String> {
    let gap = run.evidence_gaps.ledger.as_ref();
    let because = gap.filter(|_| run.audit.audit.verdict == Verdict::Fail)?;
    Some(format!(
        "it could not be read, so answers and states alone were judged: {}",
        outside(because)
    ))
}

/// The counts above 0 of a tally, as many as are reported.
pub(super) fn counted(tally: &Tally) -> impl Iterator<Item = (String, u64)> {
    let counts = tally.0.iter().filter(|(_, count)| *count > 0).take(LISTED_MAX);
    counts.map(|(word, count)| (outside(word), *count))
}
