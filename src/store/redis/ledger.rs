//! The ledger of a sale, read in pieces: its list only grows, so the entries that exist at one
//! moment can be read in several calls. The list has the order of the decisions, a ledger that of
//! acceptance: so everything is read twice, first to put the ids in order. No more than the ids
//! is kept in memory.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ids::RequestId;

use super::super::orders::EndedOrders;
use super::super::{Decided, SaleView, StoreError};
use super::ends::read_ended;
use super::link::{Access, Link};
use super::records::{decided, view};
use super::scripts::SCRIPTS;

/// Decisions per call; Redis runs no other command during a call.
const CHUNK: usize = 1_000;

/// The decisions of a sale in Redis that have not been returned.
#[derive(Debug)]
pub(in crate::store) struct LedgerRows {
    /// The links to the buckets.
    links: Vec<Link>,
    /// In the order of acceptance, with the bucket of each.
    ids: std::vec::IntoIter<RowId>,
}

/// The id of a decision: its position in the order of acceptance, its bucket, and its request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RowId {
    seq: u64,
    bucket: usize,
    request_id: RequestId,
}

impl LedgerRows {
    /// Merges the rows of several buckets.
    pub(super) fn merged(all: Vec<Self>) -> Self {
        let (links, ids): (Vec<_>, Vec<_>) =
            all.into_iter().map(|rows| (rows.links, rows.ids)).unzip();
        let mut ids: Vec<_> = ids.into_iter().flatten().collect();
        ids.sort_unstable();
        Self { links: links.concat(), ids: ids.into_iter() }
    }

    pub(in crate::store) async fn next(&mut self) -> Result<Vec<Arc<Decided>>, StoreError> {
        let ids: Vec<RowId> = self.ids.by_ref().take(CHUNK).collect();
        let mut rows = Vec::with_capacity(ids.len());
        for link in &self.links {
            let here = ids.iter().filter(|id| id.bucket == link.keys().number);
            rows.extend(records(link, here.map(|id| id.request_id.to_string()).collect()).await?);
        }
        rows.sort_by_key(|row| row.attempt.seq);
        Ok(rows)
    }

    pub(in crate::store) fn ids(&self) -> impl Iterator<Item = &RequestId> {
        self.ids.as_slice().iter().map(|id| &id.request_id)
    }
}

/// A sale at one moment, and how many decisions and ends of orders it has; after them all fields of
/// its record, if it is in one of several buckets.
pub(super) type Snapshot = (Vec<String>, usize, usize, HashMap<String, String>);

/// Takes a snapshot of a sale.
pub(super) async fn snapshot(link: &Link, epoch: u64) -> Result<Snapshot, StoreError> {
    let snapshot: Snapshot =
        link.run(&SCRIPTS.snapshot.arg(link.keys(), epoch), Access::Read).await?;
    if snapshot.0.is_empty() { Err(StoreError::UnknownItem) } else { Ok(snapshot) }
}

/// Reads a sale, its decisions, and the ends of its orders.
pub(super) async fn read(
    link: &Link,
    epoch: u64,
) -> Result<(SaleView, LedgerRows, EndedOrders), StoreError> {
    let (sale, len, ends, _) = snapshot(link, epoch).await?;
    let rows = rows(link, epoch, len).await?;
    Ok((view(&sale)?, rows, read_ended(link, epoch, ends).await?))
}

/// Reads the first `len` decisions of a sale.
pub(super) async fn rows(link: &Link, epoch: u64, len: usize) -> Result<LedgerRows, StoreError> {
    let (mut ids, bucket) = (Vec::with_capacity(len), link.keys().number);
    for begin in (0..len).step_by(CHUNK) {
        let end = (begin + CHUNK).min(len);
        let mut range = redis::cmd("LRANGE");
        range.arg(link.key_of("ledger", epoch)).arg(begin).arg(end - 1);
        let records = records(link, link.ask(&range).await?).await?;
        ids.extend(records.iter().map(|row| {
            let (seq, request_id) = (row.attempt.seq, row.attempt.request_id);
            RowId { seq, bucket, request_id }
        }));
    }
    ids.sort_unstable();
    Ok(LedgerRows { links: vec![link.clone()], ids: ids.into_iter() })
}

async fn records(link: &Link, ids: Vec<String>) -> Result<Vec<Arc<Decided>>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut get = redis::cmd("HMGET");
    let records: Vec<String> = link.ask(get.arg(link.key("decided")).arg(ids)).await?;
    records.iter().map(|record| Ok(Arc::new(decided(record)?))).collect()
}
