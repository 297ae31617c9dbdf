//! A table of bounded size that forgets what has not been written for longest.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Entries that are kept; each takes some 20 to 40 bytes, if its value is a number.
const ENTRIES_MAX: usize = 1 << 20;

/// Parts of the table, each with a lock of its own.
const SHARDS: usize = 64;

/// Entries in one generation of a shard: it has two.
pub(super) const GENERATION_LEN: usize = ENTRIES_MAX / SHARDS / 2;

/// The key of an entry: a keyed hash of a name, which nobody can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(u64);

/// A value for each key. When the table is full, the half that was written longest ago is dropped.
#[derive(Debug)]
pub(super) struct BoundedTable<V = u64> {
    hasher: RandomState,
    shards: Vec<Mutex<Shard<V>>>,
}

#[derive(Debug)]
pub(super) struct Shard<V = u64> {
    current: HashMap<Key, V>,
    /// The generation before: dropped when the current one is full.
    previous: HashMap<Key, V>,
}

impl<V> Default for Shard<V> {
    fn default() -> Self {
        Self { current: HashMap::default(), previous: HashMap::default() }
    }
}

impl<V> Default for BoundedTable<V> {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { hasher: RandomState::new(), shards }
    }
}

impl<V> BoundedTable<V> {
    pub(super) fn key(&self, name: &impl Hash) -> Key {
        Key(self.hasher.hash_one(name))
    }

    /// The part of the table that has a key, locked.
    pub(super) fn shard(&self, key: Key) -> MutexGuard<'_, Shard<V>> {
        let shard = &self.shards[key.0 as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Copy> Shard<V> {
    pub(super) fn get(&self, key: Key) -> Option<V> {
        self.current.get(&key).or_else(|| self.previous.get(&key)).copied()
    }

    pub(super) fn set(&mut self, key: Key, value: V) {
        if self.current.len() >= GENERATION_LEN && !self.current.contains_key(&key) {
            self.previous = std::mem::take(&mut self.current);
        }
        self.current.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.current.remove(&key);
        self.previous.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shard_is_bounded_and_forgets_the_oldest() {
        let (mut shard, last) = (Shard::default(), 3 * GENERATION_LEN as u64);
        for number in 0..=last {
            shard.set(Key(number), number);
            assert!(shard.current.len() + shard.previous.len() <= ENTRIES_MAX / SHARDS);
        }
        assert_eq!(shard.get(Key(last)), Some(last));
        assert_eq!(shard.get(Key(0)), None, "it was forgotten");
    }

    #[test]
    fn removed_key_is_in_neither_generation() {
        let table = BoundedTable::default();
        let key = table.key(&"ann");
        let mut shard = table.shard(key);
        shard.set(key, 1);
        for number in 0..GENERATION_LEN as u64 {
            shard.set(Key(number), 0);
        }
        assert_eq!(shard.previous.get(&key), Some(&1));
        shard.remove(key);
        assert_eq!(shard.get(key), None);
    }
}
