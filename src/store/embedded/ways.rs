//! The ways in which the store of this process decides, chosen once when it is opened.

use std::pin::Pin;
use std::sync::Arc;

use crate::sale::{Attempt, Rule};

use super::super::{Reservation, StoreError};
use super::decider::Decider;
use super::state::Replay;

/// How the store decides. The default is the standard way.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct Ways {
    /// The rule that decides one attempt.
    pub(super) rule: Rule,
    /// What decides attempts instead of the rule under one lock.
    pub(super) reserve: Option<Reserve>,
    /// Decides the attempts of the journal again, if not the rule.
    pub(super) replay: Option<Replay>,
    /// Called before attempts are decided; an error is the result then.
    pub(super) interrupt: Option<fn() -> Result<(), StoreError>>,
}

/// The future of deciding attempts.
pub(super) type Reserving<'a> =
    Pin<Box<dyn Future<Output = Result<Reservation, StoreError>> + Send + 'a>>;

/// Decides attempts at one item.
pub(super) type Reserve = for<'a> fn(Decider<'a>, &'a [Arc<Attempt>], u64) -> Reserving<'a>;
