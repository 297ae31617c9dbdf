//! Deciding: by one script for a whole batch, or with a flaw.

use std::sync::Arc;

use redis::Script;

use crate::flaws::{Flaw, Flaws};
use crate::sale::{Attempt, Terms};

use super::super::{Decided, StoreError};
use super::keys::Keys;
use super::link::{Link, Tried};
use super::scripts::SCRIPTS;
use super::{check_then_act, no_dedupe, records};

/// How attempts are decided, chosen once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reserve {
    /// All at once, or not at all.
    Atomic,
    /// A flaw.
    NoDedupe,
    /// A flaw; another one says whether what was decided is decided again.
    CheckThenAct(check_then_act::Dedupe),
}

impl Reserve {
    pub(super) fn of(flaws: &Flaws) -> Self {
        match (flaws.has(Flaw::CheckThenAct), flaws.has(Flaw::NoDedupe)) {
            (false, false) => Self::Atomic,
            (false, true) => Self::NoDedupe,
            (true, false) => Self::CheckThenAct(check_then_act::Dedupe::Looks),
            (true, true) => Self::CheckThenAct(check_then_act::Dedupe::DoesNotLook),
        }
    }

    /// Prepares a sale that was just opened.
    pub(super) async fn opened(self, link: &Link, terms: &Terms) -> Result<(), StoreError> {
        match self {
            Self::Atomic | Self::NoDedupe => Ok(()),
            Self::CheckThenAct(_) => check_then_act::opened(link, terms).await,
        }
    }

    pub(super) async fn decide(
        self,
        link: &Link,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Vec<Arc<Decided>>, StoreError> {
        match self {
            Self::Atomic => run(link, &SCRIPTS.reserve, attempts, now_us).await,
            Self::NoDedupe => no_dedupe::decide(link, attempts, now_us).await,
            Self::CheckThenAct(dedupe) => {
                check_then_act::decide(link, dedupe, attempts, now_us).await
            }
        }
    }
}

/// Decides what could not be delivered.
pub(super) async fn give_up(
    link: &Link,
    attempts: &[Arc<Attempt>],
    now_us: u64,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    run(link, &SCRIPTS.give_up, attempts, now_us).await
}

/// Runs a script over attempts at one item.
pub(super) async fn run(
    link: &Link,
    script: &Script,
    attempts: &[Arc<Attempt>],
    now_us: u64,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    let Some(first) = attempts.first() else { return Ok(Vec::new()) };
    let mut call = script.key(Keys::of(&first.item).prefix);
    call.arg(now_us);
    for attempt in attempts {
        call.arg(attempt.request_id.to_string()).arg(attempt.buyer.as_str());
        call.arg(attempt.epoch).arg(attempt.to_string());
    }
    let answers: Vec<String> = link.run(&call, Tried::Write).await?;
    let decided = attempts.iter().zip(&answers);
    decided.map(|(attempt, answer)| records::answered(attempt, answer, now_us)).collect()
}
