//! The ledger of a sale, read in pieces: its list only grows, so the entries that exist at one
//! moment can be read in several calls.

use std::sync::Arc;

use super::super::{Decided, Ledger, StoreError};
use super::keys::{key, key_of};
use super::link::{Access, Link};
use super::records::{decided, view};
use super::scripts::SCRIPTS;

/// Decisions per call; Redis runs no other command during a call.
const PIECE: usize = 1_000;

pub(super) async fn read(link: &Link, epoch: u64) -> Result<Ledger, StoreError> {
    let snapshot = SCRIPTS.snapshot.arg(epoch);
    let (sale, len): (Vec<String>, usize) = link.run(&snapshot, Access::Read).await?;
    if sale.is_empty() {
        return Err(StoreError::UnknownItem);
    }
    let mut all = Vec::with_capacity(len);
    for begin in (0..len).step_by(PIECE) {
        all.extend(piece(link, epoch, begin, (begin + PIECE).min(len)).await?);
    }
    Ok(Ledger { sale: view(&sale)?, decided: all })
}

async fn piece(
    link: &Link,
    epoch: u64,
    begin: usize,
    end: usize,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    let mut range = redis::cmd("LRANGE");
    range.arg(key_of("ledger", epoch)).arg(begin).arg(end - 1);
    let ids: Vec<String> = link.ask(&range).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut get = redis::cmd("HMGET");
    let records: Vec<String> = link.ask(get.arg(key("decided")).arg(ids)).await?;
    records.iter().map(|record| Ok(Arc::new(decided(record)?))).collect()
}
