//! The flaw `cache-refill-in-flight`: units are taken from a cached counter, which is refilled from
//! the store without regard to the decisions that are in flight.
//!
//! A consumer takes a unit from the cache, and records the order in a later step. A refill between
//! the two reads units from the store that are taken already, and they are sold again.

use std::sync::Arc;

use redis::Pipeline;

use crate::api::LostReason;
use crate::sale::{Attempt, Decision};

use super::super::super::StoreError;
use super::super::link::{Access, Link};
use super::super::reserve::Deciding;
use super::by_steps::{self, Choosing, Dedupe};

/// The cache is refilled once in this many decisions of all processes. Real caches expire after a
/// time; a number brings the flaw out in a short sale, too.
const REFILL_EVERY: u64 = 4;

/// Decides each attempt, unless it was decided before.
pub(super) fn decide<'a>(
    link: &'a Link,
    attempts: &'a [Arc<Attempt>],
    now_us: u64,
) -> Deciding<'a> {
    Box::pin(by_steps::decide(link, attempts, now_us, Dedupe::ByRequestId, choose))
}

fn choose<'a>(link: &'a Link, attempt: &'a Attempt, act: &'a mut Pipeline) -> Choosing<'a> {
    Box::pin(async move {
        Ok(if by_steps::is_at_limit(link, attempt).await? {
            Decision::Lost(LostReason::AlreadyBought)
        } else if take_from_cache(link, attempt.epoch).await? {
            by_steps::record_order(link, act, attempt)
        } else {
            Decision::Lost(LostReason::SoldOut)
        })
    })
}

/// Takes a unit from the cache, and refills it before if its time has come. Returns whether there
/// was one.
async fn take_from_cache(link: &Link, epoch: u64) -> Result<bool, StoreError> {
    let cached = link.key_of("cached", epoch);
    let mut count = redis::pipe();
    count.cmd("INCR").arg(link.key_of("cache-uses", epoch));
    let (uses,): (u64,) = link.send(&count, Access::Write).await?;
    if uses % REFILL_EVERY == 1 {
        let mut read = redis::cmd("HGET");
        read.arg(link.key_of("sale", epoch)).arg("left");
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
