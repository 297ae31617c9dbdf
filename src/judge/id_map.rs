//! [`IdMap`]: a hash map of attempts that stays fast with millions of them.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use crate::ids::RequestId;

/// Values by attempt.
pub(super) type IdMap<T> = HashMap<RequestId, T, IdState>;

/// The keys of a map's hash function. They are random, so that the tested system, which chooses the
/// ids in its ledger, cannot choose ids that collide.
#[derive(Debug, Clone)]
pub(super) struct IdState {
    start: u64,
    factor: u64,
}

impl Default for IdState {
    fn default() -> Self {
        let random = RandomState::new();
        Self { start: random.hash_one(0), factor: random.hash_one(1) | 1 }
    }
}

impl BuildHasher for IdState {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher { hash: self.start, factor: self.factor }
    }
}

/// Folded multiplication of each 8 bytes: cheap, and enough for ids that are mostly random bits.
pub(super) struct IdHasher {
    hash: u64,
    factor: u64,
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut padded = [0; 8];
            padded[..part.len()].copy_from_slice(part);
            self.hash = folded(self.hash ^ u64::from_ne_bytes(padded), self.factor);
        }
    }

    /// The length of an id, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    /// Multiplied once more, by the golden ratio: ids that are almost equal get hashes that are
    /// close to each other with some of the random factors.
    fn finish(&self) -> u64 {
        folded(self.hash, 0x9E37_79B9_7F4A_7C15)
    }
}

/// The exclusive or of both halves of a product.
fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn ids_that_differ_in_few_bits_have_different_hashes() {
        let state = IdState::default();
        let ids = (0..100_000).flat_map(|number: u128| [number, number << 64]);
        let mut hashes: Vec<_> =
            ids.map(|number| state.hash_one(RequestId(Uuid::from_u128(number)))).collect();
        hashes.sort_unstable();
        hashes.dedup();
        // The id 0 occurs twice.
        assert!(hashes.len() > 199_990, "{}", hashes.len());
        // A map takes the bucket from the lowest bits, and compares the highest ones.
        for shift in [0, 48] {
            let mut parts: Vec<_> = hashes.iter().map(|hash| (hash >> shift) as u16).collect();
            parts.sort_unstable();
            parts.dedup();
            // About 95 % of the values occur, if each is as likely as any other.
            assert!(parts.len() > 62_000, "{} at {shift}", parts.len());
        }
    }
}
