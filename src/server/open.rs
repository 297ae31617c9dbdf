//! Opening the engines, and the sale.

use std::path::PathBuf;

use crate::journal;
use crate::queue::Queue;
use crate::store::{Store, StoreError};

use super::config::Config;
use super::data_dir::DataDir;
use super::error::ServeError;

/// The data dir and the engines of a server.
pub(super) struct Opened {
    pub(super) data: DataDir,
    pub(super) queue: Queue,
    pub(super) store: Store,
}

/// Opens both engines and the data dir, which no other process may use if an engine is in it.
pub(super) async fn open(config: &Config) -> Result<Opened, ServeError> {
    let shared = [config.queue.is_shared(), config.store.is_shared()];
    let data = match shared {
        [true, true] => DataDir::share(&config.data)?,
        _ => DataDir::open(&config.data)?,
    };
    let journals = ["store.journal", "queue.journal"].map(|name| data.file(name));
    if shared == [false, false] {
        refuse_half(&journals)?;
    }
    let [store_path, queue_path] = &journals;
    let (durability, max) = (config.durability, config.queue_max);
    let store = Store::open(&config.store, store_path, durability).await?;
    let queue = Queue::open(&config.queue, queue_path, durability, max).await?;
    Ok(Opened { data, queue, store })
}

/// Refuses a data dir in which one journal is missing while the other has records: the attempts
/// that are left would be decided again.
fn refuse_half(journals: &[PathBuf; 2]) -> Result<(), ServeError> {
    for (lost, left) in [(0, 1), (1, 0)].map(|(a, b)| (&journals[a], &journals[b])) {
        if !lost.exists() && journal::is_used(left)? {
            return Err(ServeError::Half { lost: lost.clone(), left: left.clone() });
        }
    }
    Ok(())
}

/// Opens the sale, or resumes the one that the store has of this item. A process that only decides
/// leaves this to the processes that are given the terms.
pub(super) async fn sale(store: &Store, config: &Config) -> Result<(), StoreError> {
    if !config.accepts {
        return Ok(());
    }
    let terms = config.sale.clone();
    if config.fresh_sale {
        return store.open_sale(terms).await.map(|_| ());
    }
    let sale = store.open_or_resume(terms.clone()).await?;
    let (item, stock, left) = (&terms.item, sale.terms.stock, sale.left);
    tracing::info!(%item, stock, left, "on sale");
    if sale.terms != terms {
        tracing::warn!(
            %item,
            "the sale in the store keeps its terms, which differ from the flags: open a fresh one \
             with PUT /admin/sale, with --fresh-sale, or give another --data"
        );
    }
    Ok(())
}
