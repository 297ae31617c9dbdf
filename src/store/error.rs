//! Why the store did not do as asked, whatever the store.

/// Why the store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It takes nothing now. No effect.
    #[error("the store is not available")]
    Unavailable,
    /// It may have been done or not.
    #[error("whether the store has it is unknown")]
    Unknown,
    /// No sale of this item was ever opened.
    #[error("no such item is on sale")]
    UnknownItem,
    /// No item was named, and not exactly one is known.
    #[error("several items are on sale: name one")]
    ItemRequired,
}
