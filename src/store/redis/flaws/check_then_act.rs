//! The flaw `check-then-act`: the stock is read in one step and taken in another.
//!
//! It uses the article's own keys: `count`, the units left, and `buslist`, the list of purchases.
//! Between the two steps another consumer may read the same count. What it decides is recorded for
//! the ledger as well, so that it can be judged.

use std::sync::Arc;

use crate::api::LostReason;
use crate::sale::{Attempt, Decision, Terms};

use super::super::super::{Decided, StoreError};
use super::super::keys::key_of;
use super::super::link::{Access, Link};
use super::super::reserve::{Deciding, Preparing};
use super::by_steps::{earlier, record_decision, record_order, was_withdrawn};

/// Whether an earlier decision of the same attempt is kept.
#[derive(Debug, Clone, Copy)]
enum Dedupe {
    ByRequestId,
    None,
}

/// Sets the stock of a sale that was just opened.
pub(super) fn prepare<'a>(link: &'a Link, terms: &'a Terms) -> Preparing<'a> {
    Box::pin(async move {
        let mut set = redis::pipe();
        set.cmd("SET").arg("count").arg(terms.stock).ignore();
        set.cmd("DEL").arg("buslist").ignore();
        link.send(&set, Access::Write).await
    })
}

/// Decides each attempt, unless it was decided before.
pub(super) fn decide_once<'a>(
    link: &'a Link,
    attempts: &'a [Arc<Attempt>],
    now_us: u64,
) -> Deciding<'a> {
    Box::pin(decide(link, Dedupe::ByRequestId, attempts, now_us))
}

/// Decides each attempt as often as it is delivered.
pub(super) fn decide_each_delivery<'a>(
    link: &'a Link,
    attempts: &'a [Arc<Attempt>],
    now_us: u64,
) -> Deciding<'a> {
    Box::pin(decide(link, Dedupe::None, attempts, now_us))
}

/// Decides one attempt after the other, each in two steps.
async fn decide(
    link: &Link,
    dedupe: Dedupe,
    attempts: &[Arc<Attempt>],
    now_us: u64,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    let mut all = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        if was_withdrawn(link, attempt).await? {
            continue;
        }
        let before = match dedupe {
            Dedupe::ByRequestId => earlier(link, attempt).await?,
            Dedupe::None => None,
        };
        all.push(match before {
            Some(decided) => decided,
            None => decide_one(link, attempt, now_us).await?,
        });
    }
    Ok(all)
}

async fn decide_one(
    link: &Link,
    attempt: &Arc<Attempt>,
    decided_us: u64,
) -> Result<Arc<Decided>, StoreError> {
    let (sale, bought) = (key_of("sale", attempt.epoch), key_of("bought", attempt.epoch));
    let mut check = redis::pipe();
    check.cmd("GET").arg("count");
    check.cmd("HGET").arg(&bought).arg(attempt.buyer.as_str());
    check.cmd("HGET").arg(&sale).arg("per_buyer");
    let (count, orders, limit): (Option<i64>, Option<u64>, Option<u64>) =
        link.send(&check, Access::Read).await?;
    let count = count.unwrap_or(0);
    let mut act = redis::pipe();
    act.atomic();
    let decision = if count < 1 {
        Decision::Lost(LostReason::SoldOut)
    } else if orders.unwrap_or(0) >= limit.unwrap_or(0) {
        Decision::Lost(LostReason::AlreadyBought)
    } else {
        act.cmd("RPUSH").arg("buslist").arg(format!("{attempt} bought unit {count}")).ignore();
        act.cmd("DECR").arg("count").ignore();
        record_order(&mut act, attempt)
    };
    record_decision(&mut act, attempt, &decision, decided_us);
    let () = link.send(&act, Access::Write).await?;
    Ok(Arc::new(Decided { attempt: Arc::clone(attempt), decision, decided_us }))
}
