//! The flaw `check-then-act`: the stock is read in one step and taken in another.
//!
//! It uses the article's own keys: `count`, the units left, and `buslist`, the list of purchases.
//! Between the two steps another consumer may read the same count. What it decides is recorded for
//! the ledger as well, so that it can be judged.

use std::sync::Arc;

use redis::Pipeline;

use crate::api::LostReason;
use crate::sale::{Attempt, Decision, Terms};

use super::super::link::{Access, Link};
use super::super::reserve::{Deciding, Preparing};
use super::by_steps::{self, Choosing, Dedupe};

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
    Box::pin(by_steps::decide(link, attempts, now_us, Dedupe::ByRequestId, choose))
}

/// Decides each attempt as often as it is delivered.
pub(super) fn decide_each_delivery<'a>(
    link: &'a Link,
    attempts: &'a [Arc<Attempt>],
    now_us: u64,
) -> Deciding<'a> {
    Box::pin(by_steps::decide(link, attempts, now_us, Dedupe::None, choose))
}

/// Reads the stock; the transaction takes from it.
fn choose<'a>(link: &'a Link, attempt: &'a Attempt, act: &'a mut Pipeline) -> Choosing<'a> {
    Box::pin(async move {
        let count: Option<i64> = link.ask(redis::cmd("GET").arg("count")).await?;
        let count = count.unwrap_or(0);
        Ok(if count < 1 {
            Decision::Lost(LostReason::SoldOut)
        } else if by_steps::is_at_limit(link, attempt).await? {
            Decision::Lost(LostReason::AlreadyBought)
        } else {
            act.cmd("RPUSH").arg("buslist").arg(format!("{attempt} bought unit {count}")).ignore();
            act.cmd("DECR").arg("count").ignore();
            by_steps::record_order(link, act, attempt)
        })
    })
}
