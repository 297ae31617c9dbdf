//! Bounds that hold for every store.

/// Most tombstones of withdrawn attempts for each sale. They cost up to 10 MB of the store's
/// memory, and only a long overload refuses so many attempts after they were announced.
pub(super) const WITHDRAWN_MAX: usize = 100_000;
