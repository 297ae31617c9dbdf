//! Reading the register in parts, however long it is.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ids::ItemId;
use crate::sale::Attempt;

use super::super::StoreError;
use super::Redis;
use super::keys::Keys;
use super::records::attempt;

/// Attempts that one command reads, about: Redis does nothing else meanwhile.
const PART: usize = 1_000;

/// Parts of one item's register that one call reads, if it finds nothing in them.
const PARTS_MAX: usize = 10;

/// Where the next call goes on, for each item.
#[derive(Debug, Default)]
pub(in crate::store) struct Cursors(HashMap<ItemId, u64>);

impl Redis {
    pub(in crate::store) async fn overdue(
        &self,
        cursors: &mut Cursors,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut overdue = Vec::new();
        for item in self.link.items().await? {
            let cursor = cursors.0.entry(item.clone()).or_default();
            for _ in 0..PARTS_MAX {
                let mut scan = redis::cmd("HSCAN");
                scan.arg(Keys::of(&item).waiting()).arg(*cursor).arg("COUNT").arg(PART);
                let (next, records): (u64, Vec<(String, String)>) = self.link.ask(&scan).await?;
                let before = overdue.len();
                for (_, record) in &records {
                    let attempt = attempt(record)?;
                    if attempt.accepted_us <= before_us {
                        overdue.push(Arc::new(attempt));
                    }
                }
                *cursor = next;
                if next == 0 || overdue.len() > before {
                    break;
                }
            }
        }
        overdue.sort_by_key(|attempt| attempt.accepted_us);
        Ok(overdue)
    }
}
