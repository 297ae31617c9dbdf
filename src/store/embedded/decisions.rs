//! The decisions of one sale, in their order, of which a snapshot is cheap.

use std::sync::Arc;

use super::super::Decided;

/// Decisions in a block: a snapshot copies the last block, and a pointer to each full one.
const BLOCK_LEN: usize = 1_024;

/// A decision and the sequence number of its journal record: it counts once that is committed.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    pub(super) decided: Arc<Decided>,
    pub(super) record: u64,
}

/// The decisions of one sale.
#[derive(Debug, Clone, Default)]
pub(super) struct Decisions {
    /// Blocks that do not change any more.
    full: Vec<Arc<Vec<Logged>>>,
    last: Vec<Logged>,
}

impl Decisions {
    pub(super) fn push(&mut self, logged: Logged) {
        self.last.push(logged);
        if self.last.len() == BLOCK_LEN {
            let full = std::mem::replace(&mut self.last, Vec::with_capacity(BLOCK_LEN));
            self.full.push(Arc::new(full));
        }
    }

    /// The sequence number of the last decision's journal record.
    pub(super) fn last_record(&self) -> Option<u64> {
        let last = self.last.last().or_else(|| self.full.last()?.last());
        last.map(|logged| logged.record)
    }

    /// All decisions in the order of acceptance of their attempts.
    pub(super) fn by_acceptance(&self) -> Vec<Arc<Decided>> {
        let all = self.full.iter().flat_map(|block| block.iter()).chain(&self.last);
        let mut decided: Vec<_> = all.map(|logged| Arc::clone(&logged.decided)).collect();
        decided.sort_by_key(|decided| decided.attempt.seq);
        decided
    }
}
