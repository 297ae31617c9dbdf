//! The flaw `no-dedupe`: an attempt that is delivered again is decided again.

use std::sync::Arc;

use crate::sale::Attempt;

use super::super::decider::Decider;
use super::super::state::State;
use super::super::ways::Reserving;

/// Decides each attempt as often as it is delivered.
pub(super) fn reserve<'a>(
    decider: Decider<'a>,
    attempts: &'a [Arc<Attempt>],
    now_us: u64,
) -> Reserving<'a> {
    let decided = decider.decide(attempts, now_us, |_, _| None, State::reserve);
    Box::pin(std::future::ready(decided))
}
