//! Deciding attempts: by one script for a whole batch, unless another way was put in place.

use std::pin::Pin;
use std::sync::Arc;

use crate::sale::{Attempt, Terms};

use super::super::{Decided, StoreError};
use super::link::{Access, Link};
use super::records;
use super::scripts::{SCRIPTS, Script};

/// The future of a decided batch.
pub(super) type Deciding<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Arc<Decided>>, StoreError>> + Send + 'a>>;

/// The future of preparing a sale.
pub(super) type Preparing<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// How attempts are decided, chosen once when the store is opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reserve {
    pub(super) decide: Decide,
    /// Hook that runs after a sale is opened.
    pub(super) prepare: Option<for<'a> fn(&'a Link, &'a Terms) -> Preparing<'a>>,
}

/// How a batch is decided.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decide {
    /// By one script, which decides the whole batch or nothing.
    ByScript(&'static Script),
    /// By several commands for each attempt.
    BySteps(for<'a> fn(&'a Link, &'a [Arc<Attempt>], u64) -> Deciding<'a>),
}

impl Default for Decide {
    fn default() -> Self {
        Self::ByScript(&SCRIPTS.reserve)
    }
}

impl Reserve {
    /// Prepares a sale that was just opened.
    pub(super) async fn opened(self, link: &Link, terms: &Terms) -> Result<(), StoreError> {
        match self.prepare {
            Some(prepare) => prepare(link, terms).await,
            None => Ok(()),
        }
    }

    pub(super) async fn decide(
        self,
        link: &Link,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Vec<Arc<Decided>>, StoreError> {
        match self.decide {
            Decide::ByScript(script) => run(link, script, attempts, now_us).await,
            Decide::BySteps(decide) => decide(link, attempts, now_us).await,
        }
    }
}

/// Decides undeliverable attempts.
pub(super) async fn lose_undeliverable(
    link: &Link,
    attempts: &[Arc<Attempt>],
    now_us: u64,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    run(link, &SCRIPTS.undeliverable, attempts, now_us).await
}

/// Runs a script over attempts at one item.
async fn run(
    link: &Link,
    script: &Script,
    attempts: &[Arc<Attempt>],
    now_us: u64,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    if attempts.is_empty() {
        return Ok(Vec::new());
    }
    let mut call = script.arg(link.keys(), now_us);
    for attempt in attempts {
        call.arg(attempt.to_string());
    }
    let answers: Vec<String> = link.run(&call, Access::Write).await?;
    let decided = attempts.iter().zip(&answers).filter(|(_, answer)| !answer.is_empty());
    decided.map(|(attempt, answer)| records::answered(attempt, answer, now_us)).collect()
}
