//! Refusals that take no more than a look: those that a sale gives to everybody. During a sale that
//! is sold out, nearly all attempts get one.
//!
//! Everything else is left to [`admission`](super::admission), which would refuse these attempts
//! for the same reasons, after the same lookups. Here they cost no allocation, and no lock is held
//! for longer than a lookup takes.

use crate::api::Refusal;
use crate::queue::Lookup;
use crate::sale::Phase;
use crate::store::Glance;

use super::app::{App, Step};
use super::purchase_request::PlainPurchase;

/// The reason to refuse a purchase, if it can be given at once.
pub(super) fn refusal(app: &App, purchase: &PlainPurchase<'_>) -> Option<Refusal> {
    let (Lookup::Queue(queue), Some(store)) = (app.queue.lookup(), app.store.in_memory()) else {
        return None;
    };
    let counts_attempts = app.buyer_rate_limit.is_some() || app.limits.address_rate.is_some();
    let is_standard = matches!(app.admission, Step::Standard);
    if counts_attempts || !is_standard || app.draining.has_begun() {
        return None;
    }
    let now_us = || app.clock.now_us();
    let glance = match purchase.request_id {
        // The queue is asked while the store decides nothing. So an attempt that was accepted
        // before is found in one of the two: it leaves the queue after it was decided.
        Some(id) => store.glance(purchase.item(), now_us, Some(&id), |id| queue.has(id)),
        None => store.glance(purchase.item(), now_us, None, |_| false),
    };
    to_everybody(glance?)
}

/// The reason for which a sale refuses every new attempt.
pub(super) fn to_everybody(Glance { phase, left }: Glance) -> Option<Refusal> {
    match phase {
        Phase::NotOpen => Some(Refusal::NotOpen),
        Phase::Closed => Some(Refusal::Closed),
        Phase::Open => (left <= 0).then_some(Refusal::SoldOut),
    }
}
