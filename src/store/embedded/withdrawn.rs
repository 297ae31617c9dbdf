//! Tombstones of withdrawn attempts: a message of one may still be in the queue.

use std::collections::HashMap;

use crate::ids::RequestId;
use crate::sale::Attempt;

use super::super::limits::WITHDRAWN_MAX;

/// For each sale, by its epoch, the last withdrawn position of each request id.
///
/// An announcement does not remove a tombstone: the new attempt has a later position, and may be of
/// another buyer. A tombstone lives as long as the ledger of its sale.
#[derive(Debug, Default)]
pub(super) struct Withdrawn {
    by_epoch: HashMap<u64, HashMap<RequestId, u64>>,
}

impl Withdrawn {
    /// Whether the attempt was withdrawn.
    pub(super) fn contains(&self, attempt: &Attempt) -> bool {
        let of_sale = self.by_epoch.get(&attempt.epoch);
        let seq = of_sale.and_then(|of_sale| of_sale.get(&attempt.request_id));
        seq.is_some_and(|seq| attempt.seq <= *seq)
    }

    /// Whether there is room for one more tombstone of the attempt's sale.
    pub(super) fn has_room(&self, attempt: &Attempt) -> bool {
        let of_sale = self.by_epoch.get(&attempt.epoch);
        of_sale.is_none_or(|of_sale| {
            of_sale.len() < WITHDRAWN_MAX || of_sale.contains_key(&attempt.request_id)
        })
    }

    /// Whether an attempt with this id was withdrawn, at any sale.
    pub(super) fn has(&self, request_id: &RequestId) -> bool {
        self.by_epoch.values().any(|of_sale| of_sale.contains_key(request_id))
    }

    /// How many tombstones there are.
    pub(super) fn len(&self) -> usize {
        self.by_epoch.values().map(HashMap::len).sum()
    }

    pub(super) fn drop_sale(&mut self, epoch: u64) {
        self.by_epoch.remove(&epoch);
    }

    pub(super) fn insert(&mut self, attempt: &Attempt) {
        self.by_epoch.entry(attempt.epoch).or_default().insert(attempt.request_id, attempt.seq);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use super::*;

    fn attempt(number: usize, epoch: u64) -> Attempt {
        Attempt {
            request_id: RequestId(uuid::Uuid::from_u128(number as u128)),
            buyer: "ann".parse().unwrap(),
            item: "tea".parse().unwrap(),
            epoch,
            seq: 1,
            accepted_us: 1,
        }
    }

    #[test]
    fn tombstones_of_each_sale_are_bounded() {
        let mut withdrawn = Withdrawn::default();
        for number in 0..WITHDRAWN_MAX {
            assert!(withdrawn.has_room(&attempt(number, 1)));
            withdrawn.insert(&attempt(number, 1));
        }
        assert!(!withdrawn.has_room(&attempt(WITHDRAWN_MAX, 1)));
        assert!(withdrawn.has_room(&attempt(WITHDRAWN_MAX, 2)), "of another sale");
        assert!(withdrawn.has_room(&attempt(0, 1)), "it takes no more room");
    }
}
