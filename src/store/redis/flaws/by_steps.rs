//! What the flaws have in common that decide an attempt in several steps, not in one script: they
//! take one attempt after the other, choose its decision, and record it for the ledger.

use std::pin::Pin;
use std::sync::Arc;

use redis::Pipeline;

use crate::ids::{OrderId, RequestId};
use crate::sale::{Attempt, Decision};

use super::super::super::{Decided, Known, StoreError};
use super::super::link::{Access, Link};
use super::super::records::known;
use super::super::scripts::SCRIPTS;

/// The future of choosing a decision.
pub(super) type Choosing<'a> =
    Pin<Box<dyn Future<Output = Result<Decision, StoreError>> + Send + 'a>>;

/// Chooses the decision on an attempt. What has to be written with it goes into the transaction.
pub(super) type Choose = for<'a> fn(&'a Link, &'a Attempt, &'a mut Pipeline) -> Choosing<'a>;

/// Whether an earlier decision of the same attempt is kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dedupe {
    ByRequestId,
    None,
}

/// Decides one attempt after the other.
pub(super) async fn decide(
    link: &Link,
    attempts: &[Arc<Attempt>],
    decided_us: u64,
    dedupe: Dedupe,
    choose: Choose,
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
        if let Some(decided) = before {
            all.push(decided);
            continue;
        }
        let mut act = redis::pipe();
        act.atomic();
        let decision = choose(link, attempt, &mut act).await?;
        record_decision(link, &mut act, attempt, &decision, decided_us);
        let () = link.send(&act, Access::Write).await?;
        let attempt = Arc::clone(attempt);
        all.push(Arc::new(Decided { attempt, decision, decided_us, held_until_us: None }));
    }
    Ok(all)
}

/// Whether the attempt was withdrawn.
async fn was_withdrawn(link: &Link, attempt: &Attempt) -> Result<bool, StoreError> {
    let mut get = redis::cmd("HGET");
    get.arg(link.key_of("withdrawn", attempt.epoch)).arg(attempt.request_id.to_string());
    let seq: Option<u64> = link.ask(&get).await?;
    Ok(seq.is_some_and(|seq| attempt.seq <= seq))
}

/// The decision that was made before on this attempt.
async fn earlier(link: &Link, attempt: &Attempt) -> Result<Option<Arc<Decided>>, StoreError> {
    let find = SCRIPTS.find.arg(link.keys(), attempt.request_id.to_string());
    let (state, record): (String, String) = link.run(&find, Access::Read).await?;
    Ok(match known(&state, &record)? {
        Some(Known::Decided(decided)) => Some(decided),
        _ => None,
    })
}

/// Whether the buyer has as many orders as one may have.
pub(super) async fn is_at_limit(link: &Link, attempt: &Attempt) -> Result<bool, StoreError> {
    let mut check = redis::pipe();
    check.cmd("HGET").arg(link.key_of("bought", attempt.epoch)).arg(attempt.buyer.as_str());
    check.cmd("HGET").arg(link.key_of("sale", attempt.epoch)).arg("per_buyer");
    let (orders, limit): (Option<u64>, Option<u64>) = link.send(&check, Access::Read).await?;
    Ok(orders.unwrap_or(0) >= limit.unwrap_or(0))
}

/// Records an order of this attempt, and returns the decision.
pub(super) fn record_order(link: &Link, act: &mut Pipeline, attempt: &Attempt) -> Decision {
    let (sale, bought) = (link.key_of("sale", attempt.epoch), link.key_of("bought", attempt.epoch));
    act.cmd("HINCRBY").arg(&sale).arg("left").arg(-1).ignore();
    act.cmd("HINCRBY").arg(&sale).arg("orders").arg(1).ignore();
    act.cmd("HINCRBY").arg(&bought).arg(attempt.buyer.as_str()).arg(1).ignore();
    Decision::Won(OrderId::from_text(RequestId::random().to_string()))
}

/// Records the result and its line of the ledger, and removes the attempt from the register, as
/// `decide` in lib.lua does.
fn record_decision(
    link: &Link,
    act: &mut Pipeline,
    attempt: &Attempt,
    decision: &Decision,
    now_us: u64,
) {
    let id = attempt.request_id.to_string();
    act.cmd("HSET").arg(link.key("decided")).arg(&id).arg(format!("{now_us} {attempt} {decision}"));
    act.ignore().cmd("RPUSH").arg(link.key_of("ledger", attempt.epoch)).arg(&id).ignore();
    act.cmd("HDEL").arg(link.key("waiting")).arg(&id).ignore();
    act.cmd("ZREM").arg(link.key_of("queued", &attempt.item)).arg(&id).ignore();
    for ids in [link.key("unconfirmed"), link.key("twins")] {
        act.cmd("SREM").arg(ids).arg(&id).ignore();
    }
}
