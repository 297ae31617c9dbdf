//! The flaw `check-then-act`: the stock is read in one step and taken in another.
//!
//! Between the two, other consumers read the same stock, as over a network: the store is locked for
//! each step, and not for both.

use std::sync::Arc;
use std::time::Duration;

use crate::sale::{Attempt, check_then_act};

use super::super::super::{Reservation, StoreError};
use super::super::decider::{Decider, Earlier, lock};
use super::super::state::State;
use super::super::ways::Ways;

/// The time from one step to the next: that of a round trip to a store which is busy.
const BETWEEN_STEPS: Duration = Duration::from_millis(5);

/// Decides each attempt, unless it was decided before.
pub(super) fn decide_once(ways: &mut Ways) {
    ways.reserve = Some(|decider, attempts, now_us| {
        Box::pin(by_steps(decider, attempts, now_us, State::earlier))
    });
    ways.replay = Some(check_then_act::act_again);
}

/// Decides each attempt as often as it is delivered.
pub(super) fn decide_each_delivery(ways: &mut Ways) {
    ways.reserve = Some(|decider, attempts, now_us| {
        Box::pin(by_steps(decider, attempts, now_us, |_, _| None))
    });
    ways.replay = Some(check_then_act::act_again);
}

async fn by_steps(
    decider: Decider<'_>,
    attempts: &[Arc<Attempt>],
    now_us: u64,
    earlier: Earlier,
) -> Result<Reservation, StoreError> {
    let mut all = Reservation { decided: Vec::new(), last_record: None };
    for attempt in attempts {
        let count = lock(decider.state).left(attempt);
        if count > 0 {
            tokio::time::sleep(BETWEEN_STEPS).await;
        }
        let one = std::slice::from_ref(attempt);
        let act = |state: &mut State, attempt: &Attempt| {
            state.decide_with(attempt, |sale| check_then_act::act(sale, attempt, count))
        };
        let one = decider.decide(one, now_us, earlier, act)?;
        all.decided.extend(one.decided);
        all.last_record = all.last_record.max(one.last_record);
    }
    Ok(all)
}
