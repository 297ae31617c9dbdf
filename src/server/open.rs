//! Opening the engines, and the sale.

use std::path::PathBuf;

use crate::journal;
use crate::queue::Queue;
use crate::store::{Store, StoreError};

use super::config::Config;
use super::data_dir::DataFolder;
use super::error::ServeError;

/// What a server stands on.
pub(super) struct Opened {
    pub(super) data: DataFolder,
    pub(super) queue: Queue,
    pub(super) store: Store,
}

/// Opens the data folder, which no other process may use if an engine is in it, and both engines.
pub(super) async fn open(config: &Config) -> Result<Opened, ServeError> {
    let shared = [config.queue.is_shared(), config.store.is_shared()];
    let data = match shared {
        [true, true] => DataFolder::share(&config.data)?,
        _ => DataFolder::open(&config.data)?,
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

/// Refuses a folder of which one journal is gone while the other is in use: what is left of it
/// would be decided anew.
fn refuse_half(journals: &[PathBuf; 2]) -> Result<(), ServeError> {
    for (lost, left) in [(0, 1), (1, 0)].map(|(a, b)| (&journals[a], &journals[b])) {
        if !lost.exists() && journal::is_used(left)? {
            return Err(ServeError::Half { lost: lost.clone(), left: left.clone() });
        }
    }
    Ok(())
}

/// Opens the sale where the store has none of its item; otherwise goes on with that one. A process
/// that only decides leaves this to those that know the terms.
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
            "the sale in the store has other terms than the flags, and keeps them: open a fresh \
             one with PUT /admin/sale, with --fresh-sale, or give another --data"
        );
    }
    Ok(())
}
