//! Reading the register in parts, however long it is.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sale::Attempt;

use super::super::{RegisterScan, StoreError};
use super::bucket::Bucket;
use super::records::attempt;

/// Attempts that one command reads, about: Redis does nothing else meanwhile.
const PART: usize = 1_000;

/// Parts of the register that one call reads, if it finds nothing in them.
const PARTS_MAX: usize = 10;

impl Bucket {
    pub(super) async fn waiting(&self, epoch: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut item = redis::cmd("HGET");
        item.arg(self.link.key_of("sale", epoch)).arg("item");
        let Some(item): Option<String> = self.link.ask(&item).await? else { return Ok(Vec::new()) };
        // A scan may return an attempt twice. It returns all that are there from its beginning to
        // its end.
        let (mut attempts, mut cursor) = (HashMap::new(), 0);
        loop {
            let mut scan = redis::cmd("ZSCAN");
            scan.arg(self.link.key_of("queued", &item)).arg(cursor).arg("COUNT").arg(PART);
            // Each id is followed by its position.
            let (next, ids): (u64, Vec<(String, u64)>) = self.link.ask(&scan).await?;
            let ids: Vec<_> = ids.into_iter().map(|(id, _)| id).collect();
            for attempt in self.registered(&ids).await? {
                attempts.insert(attempt.request_id, attempt);
            }
            if next == 0 {
                break;
            }
            cursor = next;
        }
        let mut attempts: Vec<_> = attempts.into_values().collect();
        attempts.retain(|attempt| attempt.epoch == epoch);
        attempts.sort_unstable_by_key(|attempt| attempt.seq);
        Ok(attempts)
    }

    /// Those of the attempts that are still in the register.
    async fn registered(&self, ids: &[String]) -> Result<Vec<Arc<Attempt>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("HMGET");
        let records: Vec<Option<String>> =
            self.link.ask(get.arg(self.link.key("waiting")).arg(ids)).await?;
        records.iter().flatten().map(|record| Ok(Arc::new(attempt(record)?))).collect()
    }

    pub(super) async fn overdue(
        &self,
        scan: &mut RegisterScan,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let cursor = scan.cursor(self.link.keys().number);
        let mut overdue = Vec::new();
        for _ in 0..PARTS_MAX {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(self.link.key("waiting")).arg(*cursor).arg("COUNT").arg(PART);
            let (next, records): (u64, Vec<(String, String)>) = self.link.ask(&scan).await?;
            for (_, record) in &records {
                let attempt = attempt(record)?;
                if attempt.accepted_us <= before_us {
                    overdue.push(Arc::new(attempt));
                }
            }
            *cursor = next;
            if next == 0 || !overdue.is_empty() {
                break;
            }
        }
        overdue.sort_by_key(|attempt| attempt.accepted_us);
        Ok(overdue)
    }
}
