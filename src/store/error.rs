//! The errors of the store, whatever the engine.

/// Why a request to the store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be used now; the request had no effect.
    #[error("the store is not available")]
    Unavailable,
    /// The request may have had an effect or not.
    #[error("whether the store has it is unknown")]
    Unknown,
    /// The request id belongs to the attempt of another buyer; the request had no effect.
    #[error("the request id was used by another buyer")]
    Reused,
    /// No sale of this item was ever opened.
    #[error("no such item is on sale")]
    UnknownItem,
    /// The request names no item, and several are on sale.
    #[error("several items are on sale: name one")]
    ItemRequired,
}
