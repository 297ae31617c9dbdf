//! The ledger of a sale, read in pieces: its list only grows, so the entries that exist at one
//! moment can be read in several calls.

use std::sync::Arc;

use super::super::{Decided, Ledger, StoreError};
use super::keys::Keys;
use super::link::{Access, Link};
use super::records::{decided, view};
use super::scripts::SCRIPTS;

/// Decisions per call; Redis runs no other command during a call.
const PIECE: usize = 1_000;

pub(super) async fn read(link: &Link, epoch: u64) -> Result<Ledger, StoreError> {
    let item = link.item_of(epoch).await?.ok_or(StoreError::UnknownItem)?;
    let keys = Keys::of(&item);
    let mut snapshot = SCRIPTS.snapshot.key(&keys.prefix);
    let (sale, len): (Vec<String>, usize) = link.run(snapshot.arg(epoch), Access::Read).await?;
    if sale.is_empty() {
        return Err(StoreError::UnknownItem);
    }
    let mut all = Vec::with_capacity(len);
    for begin in (0..len).step_by(PIECE) {
        all.extend(piece(link, &keys, epoch, begin, (begin + PIECE).min(len)).await?);
    }
    Ok(Ledger { sale: view(&sale)?, decided: all })
}

async fn piece(
    link: &Link,
    keys: &Keys,
    epoch: u64,
    begin: usize,
    end: usize,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    let mut range = redis::cmd("LRANGE");
    range.arg(keys.ledger(epoch)).arg(begin).arg(end - 1);
    let ids: Vec<String> = link.ask(&range).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut get = redis::cmd("HMGET");
    let records: Vec<String> = link.ask(get.arg(keys.decided()).arg(ids)).await?;
    records.iter().map(|record| Ok(Arc::new(decided(record)?))).collect()
}
