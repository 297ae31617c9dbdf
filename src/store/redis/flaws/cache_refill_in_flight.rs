//! The flaw `cache-refill-in-flight`: units are taken from a cached counter, which is refilled from
//! the store without regard to the decisions that are in flight.
//!
//! A consumer takes a unit from the cache, and records the order in a later step. A refill between
//! the two reads units from the store that are taken already, and they are sold again.

use std::sync::Arc;

use crate::api::LostReason;
use crate::sale::{Attempt, Decision};

use super::super::super::{Decided, StoreError};
use super::super::keys::key_of;
use super::super::link::{Access, Link};
use super::super::reserve::Deciding;
use super::by_steps::{earlier, record_decision, record_order, was_withdrawn};

/// The cache is refilled once in this many decisions of all processes. Real caches expire after a
/// time; a number brings the flaw out in a short sale, too.
const REFILL_EVERY: u64 = 4;

/// Decides one attempt after the other, each in several steps.
pub(super) fn decide<'a>(
    link: &'a Link,
    attempts: &'a [Arc<Attempt>],
    now_us: u64,
) -> Deciding<'a> {
    Box::pin(async move {
        let mut all = Vec::with_capacity(attempts.len());
        for attempt in attempts {
            if was_withdrawn(link, attempt).await? {
                continue;
            }
            all.push(match earlier(link, attempt).await? {
                Some(decided) => decided,
                None => decide_one(link, attempt, now_us).await?,
            });
        }
        Ok(all)
    })
}

async fn decide_one(
    link: &Link,
    attempt: &Arc<Attempt>,
    decided_us: u64,
) -> Result<Arc<Decided>, StoreError> {
    let mut act = redis::pipe();
    act.atomic();
    let decision = if is_at_limit(link, attempt).await? {
        Decision::Lost(LostReason::AlreadyBought)
    } else if take_from_cache(link, attempt.epoch).await? {
        record_order(&mut act, attempt)
    } else {
        Decision::Lost(LostReason::SoldOut)
    };
    record_decision(&mut act, attempt, &decision, decided_us);
    let () = link.send(&act, Access::Write).await?;
    Ok(Arc::new(Decided { attempt: Arc::clone(attempt), decision, decided_us }))
}

async fn is_at_limit(link: &Link, attempt: &Attempt) -> Result<bool, StoreError> {
    let mut check = redis::pipe();
    check.cmd("HGET").arg(key_of("bought", attempt.epoch)).arg(attempt.buyer.as_str());
    check.cmd("HGET").arg(key_of("sale", attempt.epoch)).arg("per_buyer");
    let (orders, limit): (Option<u64>, Option<u64>) = link.send(&check, Access::Read).await?;
    Ok(orders.unwrap_or(0) >= limit.unwrap_or(0))
}

/// Takes a unit from the cache, and refills it before if its time has come. Returns whether there
/// was one.
async fn take_from_cache(link: &Link, epoch: u64) -> Result<bool, StoreError> {
    let cached = key_of("cached", epoch);
    let mut count = redis::pipe();
    count.cmd("INCR").arg(key_of("cache-uses", epoch));
    let (uses,): (u64,) = link.send(&count, Access::Write).await?;
    if uses % REFILL_EVERY == 1 {
        let mut read = redis::cmd("HGET");
        read.arg(key_of("sale", epoch)).arg("left");
        let left: Option<i64> = link.ask(&read).await?;
        let mut refill = redis::pipe();
        refill.cmd("SET").arg(&cached).arg(left.unwrap_or(0)).ignore();
        let () = link.send(&refill, Access::Write).await?;
    }
    let mut take = redis::pipe();
    take.cmd("DECR").arg(&cached);
    let (left,): (i64,) = link.send(&take, Access::Write).await?;
    Ok(left >= 0)
}
