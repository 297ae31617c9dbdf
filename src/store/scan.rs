//! Reading the register in parts.

/// How far the register has been read: each call of [`super::Store::overdue`] goes on where the
/// one before it ended, and begins anew after the end.
#[derive(Debug, Default)]
pub struct RegisterScan {
    /// Where a Redis server goes on, in each bucket.
    cursors: Vec<u64>,
}

impl RegisterScan {
    /// Where the scan of a bucket goes on.
    pub(super) fn cursor(&mut self, bucket: usize) -> &mut u64 {
        if self.cursors.len() <= bucket {
            self.cursors.resize(bucket + 1, 0);
        }
        &mut self.cursors[bucket]
    }
}
