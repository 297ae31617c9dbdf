//! A hash table of places that never stops everything while it grows.

use hashbrown::HashTable;

/// Most entries of a part: so many fit into 256 buckets, and splitting them takes a few µs.
const PART_LEN_MAX: usize = 224;

/// A part that was split so often is not split again. There are a million parts then.
const DEPTH_MAX: u32 = 20;

/// Bits of an entry that are the place: it must be below 256 GiB.
const PLACE_BITS: u32 = 38;

/// A hash table for millions of entries that are written under a lock. An entry is the place of a
/// key, which the caller compares, and the highest bits of the key's hash. It takes 10 to 21 bytes.
///
/// The table consists of small parts. When one is full it is split into two, by one more bit of the
/// hashes, and the others stay as they are. This is extendible hashing (Fagin et al., 1979). No key
/// is read for that. The hashes must not be known to whoever chooses the keys.
#[derive(Debug, Clone)]
pub struct SplitTable {
    parts: Vec<Part>,
    /// The part of each entry, by the lowest bits of its [`tag`].
    directory: Vec<u32>,
    len: usize,
}

#[derive(Debug, Clone, Default)]
struct Part {
    entries: HashTable<u64>,
    /// How many bits the tags of its entries have in common.
    depth: u32,
}

/// What an entry has of its hash.
fn tag(entry: u64) -> usize {
    (entry >> PLACE_BITS) as usize
}

fn place(entry: u64) -> u64 {
    entry & ((1 << PLACE_BITS) - 1)
}

fn entry(hash: u64, place: u64) -> u64 {
    hash >> PLACE_BITS << PLACE_BITS | place
}

/// The hash of an entry inside its part. Fibonacci hashing spreads the tag, of which a part's
/// entries have the lowest bits in common.
fn hash_in_part(entry: &u64) -> u64 {
    (tag(*entry) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
}

impl Default for SplitTable {
    fn default() -> Self {
        Self { parts: vec![Part::default()], directory: vec![0], len: 0 }
    }
}

impl SplitTable {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn part_of(&self, entry: u64) -> usize {
        self.directory[tag(entry) & (self.directory.len() - 1)] as usize
    }

    /// The place of the key that has this hash and that `is_key` recognises.
    pub fn find(&self, hash: u64, is_key: impl FnMut(u64) -> bool) -> Option<u64> {
        let wanted = entry(hash, 0);
        let entries = &self.parts[self.part_of(wanted)].entries;
        entries.find(hash_in_part(&wanted), matching(wanted, is_key)).map(|found| place(*found))
    }

    /// Adds the place of a key that is not here, or has the key at another place from now on.
    pub fn insert(&mut self, hash: u64, place: u64, is_key: impl FnMut(u64) -> bool) {
        let new = entry(hash, place);
        let hash = hash_in_part(&new);
        let mut part = self.part_of(new);
        if let Some(before) = self.parts[part].entries.find_mut(hash, matching(new, is_key)) {
            *before = new;
            return;
        }
        while self.parts[part].entries.len() >= PART_LEN_MAX && self.parts[part].depth < DEPTH_MAX {
            self.split(part, new);
            part = self.part_of(new);
        }
        self.parts[part].entries.insert_unique(hash, new, hash_in_part);
        self.len += 1;
    }

    /// Removes the key that has this hash and that `is_key` recognises.
    pub fn remove(&mut self, hash: u64, is_key: impl FnMut(u64) -> bool) -> Option<u64> {
        let wanted = entry(hash, 0);
        let part = self.part_of(wanted);
        let entries = &mut self.parts[part].entries;
        let found = entries.find_entry(hash_in_part(&wanted), matching(wanted, is_key));
        let (removed, _) = found.ok()?.remove();
        if entries.is_empty() {
            *entries = HashTable::new();
        }
        self.len -= 1;
        if self.is_empty() {
            *self = Self::default();
        }
        Some(place(removed))
    }

    /// Splits the part of an entry.
    fn split(&mut self, part: usize, entry: u64) {
        let Part { entries, depth } = std::mem::take(&mut self.parts[part]);
        let bit = 1 << depth;
        if self.directory.len() == bit {
            self.directory.extend_from_within(..);
        }
        let mut halves = [(); 2]
            .map(|()| Part { entries: HashTable::with_capacity(PART_LEN_MAX), depth: depth + 1 });
        for entry in entries {
            let half = usize::from(tag(entry) & bit != 0);
            halves[half].entries.insert_unique(hash_in_part(&entry), entry, hash_in_part);
        }
        let [without, with] = halves;
        let number = self.parts.len() as u32;
        self.parts[part] = without;
        self.parts.push(with);
        let first = tag(entry) & (bit - 1) | bit;
        self.directory.iter_mut().skip(first).step_by(2 * bit).for_each(|to| *to = number);
    }
}

/// Whether an entry has the tag of the wanted one, and is the wanted key.
fn matching(wanted: u64, mut is_key: impl FnMut(u64) -> bool) -> impl FnMut(&u64) -> bool {
    move |entry| tag(*entry) == tag(wanted) && is_key(place(*entry))
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    /// A table of numbers, each at the place of its double.
    #[derive(Default)]
    struct Numbers(SplitTable, RandomState);

    impl Numbers {
        fn hash(&self, number: u64) -> u64 {
            self.1.hash_one(number)
        }

        fn insert(&mut self, number: u64) {
            let hash = self.hash(number);
            self.0.insert(hash, 2 * number, |place| place == 2 * number);
        }

        fn find(&self, number: u64) -> Option<u64> {
            self.0.find(self.hash(number), |place| place / 2 == number)
        }

        fn remove(&mut self, number: u64) -> Option<u64> {
            self.0.remove(self.hash(number), |place| place / 2 == number)
        }
    }

    #[test]
    fn each_of_very_many_is_found_until_it_is_removed() {
        let (mut numbers, count) = (Numbers::default(), 200_000);
        for number in 0..count {
            numbers.insert(number);
            numbers.insert(number / 2);
        }
        assert_eq!(numbers.0.len() as u64, count);
        assert!((0..count).all(|number| numbers.find(number) == Some(2 * number)));
        assert!((count..2 * count).all(|number| numbers.find(number).is_none()));
        for number in (0..count).step_by(2) {
            assert_eq!(numbers.remove(number), Some(2 * number));
            assert_eq!(numbers.remove(number), None);
        }
        let is_there = |number| numbers.find(number).is_some();
        assert!((0..count).all(|number| is_there(number) == (number % 2 == 1)));
    }

    #[test]
    fn parts_stay_small_and_an_empty_table_keeps_nothing() {
        let mut numbers = Numbers::default();
        (0..50_000).for_each(|number| numbers.insert(number));
        let parts = &numbers.0.parts;
        assert!(parts.iter().all(|part| part.entries.len() <= PART_LEN_MAX));
        assert!(parts.len() < 50_000 / (PART_LEN_MAX / 4), "they are not nearly empty");
        (0..50_000).for_each(|number| assert!(numbers.remove(number).is_some()));
        assert!(numbers.0.is_empty());
        assert_eq!(numbers.0.parts.len(), 1);
        assert_eq!(numbers.0.parts[0].entries.capacity(), 0);
    }

    #[test]
    fn key_can_move_to_another_place() {
        let mut table = SplitTable::default();
        for place in [1, 2] {
            table.insert(7, place, |_| true);
        }
        assert_eq!((table.len(), table.find(7, |_| true)), (1, Some(2)));
        // Equal hashes cannot be separated.
        (10..1_000).for_each(|place| table.insert(7, place, |_| false));
        assert_eq!(table.find(7, |place| place == 999), Some(999));
    }
}
