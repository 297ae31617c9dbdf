//! One round of deciding attempts in one bucket.

/// How the attempts in one bucket are decided.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Round {
    /// The sale that is known to be sold out.
    pub(super) sold_out: Option<u64>,
    /// Units that come with this round.
    pub(super) incoming: Option<Incoming>,
}

/// Units that a bucket takes when it decides: those that were ever given by another one and have
/// not arrived yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming {
    pub(super) epoch: u64,
    pub(super) from: usize,
    pub(super) given: i64,
}
