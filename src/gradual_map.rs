//! A hash map that never stops everything while it grows.

use std::hash::RandomState;

/// A hash map for millions of entries that are written under a lock: it moves a few of them with
/// each insertion when it grows, and not all at once, which takes up to half a second.
pub type GradualMap<K, V> = griddle::HashMap<K, V, RandomState>;
