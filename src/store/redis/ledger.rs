//! The ledger of a sale, read in pieces: its list only grows, so the entries that exist at one
//! moment can be read in several calls. The list has the order of the decisions, a ledger that of
//! acceptance: so everything is read twice, first to put the ids in order. No more than the ids
//! is kept in memory.

use std::sync::Arc;

use crate::ids::RequestId;

use super::super::orders::EndedOrders;
use super::super::{Decided, SaleView, StoreError};
use super::ends::read_ended;
use super::keys::{key, key_of};
use super::link::{Access, Link};
use super::records::{decided, view};
use super::scripts::SCRIPTS;

/// Decisions per call; Redis runs no other command during a call.
const CHUNK: usize = 1_000;

/// The decisions of a sale in Redis that have not been returned.
#[derive(Debug)]
pub(in crate::store) struct LedgerRows {
    link: Link,
    /// In the order of acceptance, with their position in it.
    ids: std::vec::IntoIter<(u64, RequestId)>,
}

impl LedgerRows {
    pub(in crate::store) async fn next(&mut self) -> Result<Vec<Arc<Decided>>, StoreError> {
        let ids = self.ids.by_ref().take(CHUNK).map(|(_, id)| id.to_string());
        records(&self.link, ids.collect()).await
    }

    pub(in crate::store) fn ids(&self) -> impl Iterator<Item = &RequestId> {
        self.ids.as_slice().iter().map(|(_, id)| id)
    }
}

pub(super) async fn read(
    link: &Link,
    epoch: u64,
) -> Result<(SaleView, LedgerRows, EndedOrders), StoreError> {
    let snapshot = SCRIPTS.snapshot.arg(epoch);
    let (sale, len, ends): (Vec<String>, usize, usize) = link.run(&snapshot, Access::Read).await?;
    if sale.is_empty() {
        return Err(StoreError::UnknownItem);
    }
    let mut ids = Vec::with_capacity(len);
    for begin in (0..len).step_by(CHUNK) {
        let end = (begin + CHUNK).min(len);
        let mut range = redis::cmd("LRANGE");
        range.arg(key_of("ledger", epoch)).arg(begin).arg(end - 1);
        let records = records(link, link.ask(&range).await?).await?;
        ids.extend(records.iter().map(|row| (row.attempt.seq, row.attempt.request_id)));
    }
    ids.sort_unstable();
    let rows = LedgerRows { link: link.clone(), ids: ids.into_iter() };
    Ok((view(&sale)?, rows, read_ended(link, epoch, ends).await?))
}

async fn records(link: &Link, ids: Vec<String>) -> Result<Vec<Arc<Decided>>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut get = redis::cmd("HMGET");
    let records: Vec<String> = link.ask(get.arg(key("decided")).arg(ids)).await?;
    records.iter().map(|record| Ok(Arc::new(decided(record)?))).collect()
}
