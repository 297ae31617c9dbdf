//! The judge's verdict, compared with whether a right sale explains the history.

use std::collections::HashMap;

use seckill::history::{Answered, History, Refused};
use seckill::ids::RequestId;
use seckill::judge::{Audit, Verdict};

use super::ask::question;
use super::question::{NEVER, Question, Step, What};
use super::run::{Evidence, Run};
use super::search::{Answer, Relaxed, search};
use super::tester;

/// What the judge leaves out by design, as questions that do not ask for it.
const WEAKER: [(&str, Relaxed); 5] = [
    ("hours", Relaxed { hours: true, ..STRICT }),
    ("more queued", Relaxed { more_queued: true, ..STRICT }),
    ("fewer queued", Relaxed { more_queued: true, fewer_queued: true, ..STRICT }),
    ("hours and queued", Relaxed { hours: true, more_queued: true, fewer_queued: true, ..STRICT }),
    ("refused twins", Relaxed { twins: true, ..STRICT }),
];

const STRICT: Relaxed =
    Relaxed { hours: false, more_queued: false, fewer_queued: false, twins: false };

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Both say that a right sale can have given these answers.
    Explained,
    /// Both say that none can have.
    Impossible,
    /// The judge accuses by the clock of the sale, which the search looks at only then.
    ImpossibleByClock,
    /// No right sale explains it, and the verdict is unknown, since attempts were still queued.
    Undecided,
    /// No right sale explains it, and the judge is silent for this reason, by design.
    Weaker(&'static str),
    GivenUp,
    /// The search and the linearizability tester say different things.
    Disputed {
        search: Answer,
        tester: Answer,
    },
    /// The judge accuses a sale that may be right.
    FalselyAccused,
    /// The judge is silent, and no right sale can have given these answers.
    Missed(String),
}

impl Comparison {
    pub(super) fn is_disagreement(&self) -> bool {
        matches!(self, Self::Disputed { .. } | Self::FalselyAccused | Self::Missed(_))
    }
}

/// A run, as the judge, the search and perhaps the tester judge it.
pub(super) struct Compared {
    pub(super) comparison: Comparison,
    pub(super) audit: Audit,
    /// What the tester says of it, if it can express it.
    pub(super) tester: Option<Answer>,
}

pub(super) fn compare(run: &Run) -> Compared {
    let (evidence, audit) = run.judge();
    let question = question(&evidence);
    let search = question.as_ref().map_or(Answer::Impossible, |asked| search(asked, STRICT));
    let tester = tester::explains(&evidence).filter(|answer| *answer != Answer::GivenUp);
    let is_disputed = |tester: &Answer| search != Answer::GivenUp && search != *tester;
    let comparison = match tester.filter(is_disputed) {
        Some(tester) => Comparison::Disputed { search, tester },
        None => of(&evidence, question, search, audit.verdict),
    };
    Compared { comparison, audit, tester }
}

fn of(
    evidence: &Evidence,
    question: Result<Question, String>,
    answer: Answer,
    verdict: Verdict,
) -> Comparison {
    let is_accused = verdict == Verdict::Fail;
    let question = match question {
        Ok(question) => question,
        Err(_) if is_accused => return Comparison::Impossible,
        Err(_) if !is_served(evidence) => return Comparison::Weaker("nothing is served"),
        Err(problem) => return Comparison::Missed(problem),
    };
    match (answer, is_accused) {
        (Answer::Explained, false) => Comparison::Explained,
        (Answer::Impossible, true) => Comparison::Impossible,
        (Answer::GivenUp, _) => Comparison::GivenUp,
        (Answer::Explained, true) if is_explained_by_one_clock(&question, evidence) => {
            Comparison::FalselyAccused
        }
        (Answer::Explained, true) => Comparison::ImpossibleByClock,
        (Answer::Impossible, false) => match weaker(&question) {
            Comparison::Missed(_) if verdict == Verdict::Unknown && evidence.settled.is_none() => {
                Comparison::Undecided
            }
            weaker => weaker,
        },
    }
}

/// Whether any answer is one of a sale: a server of something else calls every request invalid.
fn is_served(evidence: &Evidence) -> bool {
    let History { entries, refusals, .. } = &evidence.history;
    let is_of_sale = |refused: Refused| refused != Refused::Invalid && refused.is_final();
    entries.iter().any(|entry| entry.answered != Answered::Unknown)
        || refusals.iter().any(|(refused, _)| is_of_sale(refused))
}

fn weaker(question: &Question) -> Comparison {
    for (name, relaxed) in WEAKER {
        let mut question = question.clone();
        if relaxed.fewer_queued {
            // Nothing was queued at some moment before the ledger was read, whatever says so.
            let settled = question.steps.iter_mut().filter(|step| step.what == What::Settled);
            settled.for_each(|step| step.to_us = NEVER);
        }
        if search(&question, relaxed) == Answer::Explained {
            return Comparison::Weaker(name);
        }
    }
    Comparison::Missed("no order of the steps explains it".to_owned())
}

/// Whether there is a clock with which the sale can have shown these times of acceptance: one that
/// is always as far ahead of the generator's.
fn is_explained_by_one_clock(question: &Question, evidence: &Evidence) -> bool {
    let began_us = evidence.history.began_us;
    if began_us == 0 {
        return true;
    }
    let accepted_us: HashMap<RequestId, i64> = evidence
        .ledger
        .rows
        .iter()
        .map(|row| (row.request_id, row.accepted_us as i64 - began_us as i64))
        .collect();
    let accepts: Vec<(usize, i64)> = (0..question.steps.len())
        .filter_map(|at| match question.steps[at].what {
            What::Accept(attempt) => Some((at, *accepted_us.get(&question.attempts[attempt].id)?)),
            _ => None,
        })
        .collect();
    // The offset matters only where an acceptance meets the beginning or the end of a step.
    let moments = question.steps.iter().flat_map(|step| [step.from_us, step.to_us]);
    let moments: Vec<i64> = moments.filter_map(|us| i64::try_from(us).ok()).collect();
    let mut offsets: Vec<i64> = accepts
        .iter()
        .flat_map(|(_, accepted_us)| moments.iter().map(move |us| accepted_us - us))
        .filter(|offset| {
            accepts.iter().all(|(at, accepted_us)| {
                let Step { from_us, to_us, .. } = question.steps[*at];
                u64::try_from(accepted_us - offset).is_ok_and(|us| (from_us..=to_us).contains(&us))
            })
        })
        .collect();
    offsets.sort_unstable();
    offsets.dedup();
    accepts.is_empty()
        || offsets.into_iter().any(|offset| {
            let mut steps = question.steps.clone();
            for (at, accepted_us) in &accepts {
                let us = (accepted_us - offset) as u64;
                (steps[*at].from_us, steps[*at].to_us) = (us, us);
            }
            let exact = Question { steps, attempts: question.attempts.clone(), ..*question };
            search(&exact, STRICT) != Answer::Impossible
        })
}
