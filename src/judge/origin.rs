//! [`Origin`]: where a row of the ledger comes from.

/// Where a row of the ledger comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The ledger before the run had it.
    Earlier,
    /// An attempt of this run that was accepted or is unknown.
    Made,
    /// An attempt of this run of which every request was refused.
    Refused,
    /// An attempt of another run of a load generator like this: it may have been late.
    OtherRun,
    /// Nothing that is known.
    Foreign,
}
