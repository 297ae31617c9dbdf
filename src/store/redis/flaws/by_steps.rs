//! What the flaws have in common that decide an attempt in several steps, not in one script: how an
//! attempt is found, and how a decision is recorded for the ledger.

use std::sync::Arc;

use crate::ids::{OrderId, RequestId};
use crate::sale::{Attempt, Decision};

use super::super::super::{Decided, Known, StoreError};
use super::super::keys::{key, key_of};
use super::super::link::{Access, Link};
use super::super::records::known;
use super::super::scripts::SCRIPTS;

/// Whether the attempt was withdrawn.
pub(super) async fn was_withdrawn(link: &Link, attempt: &Attempt) -> Result<bool, StoreError> {
    let mut get = redis::cmd("HGET");
    get.arg(key_of("withdrawn", attempt.epoch)).arg(attempt.request_id.to_string());
    let seq: Option<u64> = link.ask(&get).await?;
    Ok(seq.is_some_and(|seq| attempt.seq <= seq))
}

/// The decision that was made before on this attempt.
pub(super) async fn earlier(
    link: &Link,
    attempt: &Attempt,
) -> Result<Option<Arc<Decided>>, StoreError> {
    let find = SCRIPTS.find.arg(attempt.request_id.to_string());
    let (state, record): (String, String) = link.run(&find, Access::Read).await?;
    Ok(match known(&state, &record)? {
        Some(Known::Decided(decided)) => Some(decided),
        _ => None,
    })
}

/// Records an order of this attempt, and returns the decision.
pub(super) fn record_order(act: &mut redis::Pipeline, attempt: &Attempt) -> Decision {
    let (sale, bought) = (key_of("sale", attempt.epoch), key_of("bought", attempt.epoch));
    act.cmd("HINCRBY").arg(&sale).arg("left").arg(-1).ignore();
    act.cmd("HINCRBY").arg(&sale).arg("orders").arg(1).ignore();
    act.cmd("HINCRBY").arg(&bought).arg(attempt.buyer.as_str()).arg(1).ignore();
    Decision::Won(OrderId::from_text(RequestId::random().to_string()))
}

/// Records the result and its line of the ledger, as `decide` in lib.lua does.
pub(super) fn record_decision(
    act: &mut redis::Pipeline,
    attempt: &Attempt,
    decision: &Decision,
    now_us: u64,
) {
    let id = attempt.request_id.to_string();
    act.cmd("HSET").arg(key("decided")).arg(&id).arg(format!("{now_us} {attempt} {decision}"));
    act.ignore().cmd("RPUSH").arg(key_of("ledger", attempt.epoch)).arg(&id).ignore();
    act.cmd("HDEL").arg(key("waiting")).arg(&id).ignore();
    for ids in [key("unconfirmed"), key_of("queued", &attempt.item), key("twins")] {
        act.cmd("SREM").arg(ids).arg(&id).ignore();
    }
}
