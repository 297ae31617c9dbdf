//! Looks attempts up and announces them, many in one call: whatever has come while the call before
//! was answered. The outcome is that of a call for each attempt.

use std::sync::Arc;

use redis::ScriptInvocation;
use tokio::sync::{mpsc, oneshot};

use crate::ids::{BuyerId, ItemId, RequestId};

use super::super::{Lookup, SaleView, StoreError};
use super::link::{Access, Link};
use super::records::{attempt, current, known, named};
use super::scripts::SCRIPTS;

/// Attempts in one call, at most. The first of many are published while the next are looked up: in
/// calls of 256, RabbitMQ waited for them, and a fifth fewer were accepted.
const CALL_MAX: usize = 64;

/// Attempts that wait for a call; further ones wait until there is room.
const WAITING_MAX: usize = 1_024;

/// The word of the script for an item of which something could not be read or written.
const FAILED: &str = "failed";

/// What is asked about an attempt.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) request_id: RequestId,
    pub(super) buyer: BuyerId,
    pub(super) item: Option<ItemId>,
    pub(super) announce: Option<Announce>,
}

/// How an unknown attempt is announced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announce {
    /// When it was accepted, in microseconds since the Unix epoch.
    pub(super) accepted_us: u64,
    /// The sale for which it is announced in any case; `None` for the current one, if nothing
    /// speaks against it.
    pub(super) epoch: Option<u64>,
}

/// A question, and where its answer goes.
#[derive(Debug)]
struct Asked {
    question: Question,
    answer: oneshot::Sender<Result<Lookup, StoreError>>,
}

/// The way to the calls, which end when it is dropped.
#[derive(Debug)]
pub(super) struct Lookups(mpsc::Sender<Asked>);

impl Lookups {
    pub(super) fn start(link: Link) -> Self {
        let (asked, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(link, waiting));
        Self(asked)
    }

    /// Looks an attempt up, and may announce it.
    ///
    /// # Errors
    /// Returns [`StoreError::Unknown`] only for an attempt that may have been announced.
    pub(super) async fn ask(&self, question: Question) -> Result<Lookup, StoreError> {
        let is_write = question.announce.is_some();
        let (answer, answered) = oneshot::channel();
        // The task ends only with the runtime.
        let asked = self.0.send(Asked { question, answer }).await;
        asked.map_err(|_| StoreError::Unavailable)?;
        match answered.await.unwrap_or(Err(StoreError::Unknown)) {
            Err(StoreError::Unknown) if !is_write => Err(StoreError::Unavailable),
            answer => answer,
        }
    }
}

async fn run(link: Link, mut waiting: mpsc::Receiver<Asked>) {
    let mut asked = Vec::new();
    while waiting.recv_many(&mut asked, CALL_MAX).await > 0 {
        // What nobody waits for any more is not sent, and so has no effect.
        asked.retain(|asked| !asked.answer.is_closed());
        // The attempts at an item stay in the order in which they came.
        asked.sort_by(|a, b| a.question.item.cmp(&b.question.item));
        if !asked.is_empty() {
            call(&link, &mut asked).await;
        }
    }
}

/// What is answered about an item: why it has no sale, its sale, and of each attempt its state and
/// its record.
type OfItem = (String, Vec<String>, Vec<String>);

/// Asks about attempts, which are sorted by their items, and answers each.
async fn call(link: &Link, asked: &mut Vec<Asked>) {
    let mut call = SCRIPTS.lookup.call(link.keys());
    let mut counts = Vec::new();
    for of_item in asked.chunk_by(|a, b| a.question.item == b.question.item) {
        counts.push(of_item.len());
        call.arg(named(of_item[0].question.item.as_ref())).arg(of_item.len());
        of_item.iter().for_each(|asked| add(&mut call, &asked.question));
    }
    let is_write = asked.iter().any(|asked| asked.question.announce.is_some());
    let access = if is_write { Access::Write } else { Access::Read };
    let replies: Result<Vec<OfItem>, StoreError> = link.run(&call, access).await;
    let mut asked = asked.drain(..);
    match replies {
        Ok(replies) => {
            for (reply, count) in replies.into_iter().zip(counts) {
                answer(reply, asked.by_ref().take(count).collect());
            }
        }
        // Whoever has gone does not need the answer.
        Err(error) => asked.for_each(|asked| drop(asked.answer.send(Err(error.clone())))),
    }
}

fn add(call: &mut ScriptInvocation<'_>, question: &Question) {
    call.arg(question.request_id.to_string()).arg(question.buyer.as_str());
    let announce = question.announce;
    call.arg(announce.map_or_else(String::new, |announce| announce.accepted_us.to_string()));
    let epoch = announce.and_then(|announce| announce.epoch);
    call.arg(epoch.map_or_else(String::new, |epoch| epoch.to_string()));
}

/// Answers the questions about attempts at one item.
fn answer((problem, sale, answers): OfItem, asked: Vec<Asked>) {
    if problem == FAILED {
        // Nobody is answered: it is unknown what the script has done.
        tracing::warn!(error = sale.concat(), "the store refuses a command");
        return;
    }
    let sale = current(&problem, &sale);
    for (asked, answer) in asked.into_iter().zip(answers.chunks_exact(2)) {
        let _ = asked.answer.send(lookup(&answer[0], &answer[1], sale.clone()));
    }
}

fn lookup(
    state: &str,
    record: &str,
    sale: Result<SaleView, StoreError>,
) -> Result<Lookup, StoreError> {
    let announced = match state {
        "fresh" => Some(Arc::new(attempt(record)?)),
        _ => None,
    };
    Ok(Lookup { known: known(state, record)?, sale, at_limit: state == "at_limit", announced })
}
