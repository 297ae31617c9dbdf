//! Opening the engines, and the sale.

use std::path::PathBuf;
use std::sync::Arc;

use crate::journal;
use crate::queue::{self, Queue, RabbitMq};
use crate::store::{self, Redis, Store, StoreError};

use super::config::{Config, QueueAt, ServeError, StoreAt};
use super::data::DataFolder;

/// What a server stands on.
pub(super) struct Opened {
    pub(super) data: DataFolder,
    pub(super) queue: Queue,
    pub(super) store: Store,
}

/// Opens the data folder, which nobody else may use if an engine is in it, and both engines.
pub(super) async fn open(config: &Config) -> Result<Opened, ServeError> {
    let shared =
        matches!((&config.queue, &config.store), (QueueAt::RabbitMq(_), StoreAt::Redis(_)));
    let data = match shared {
        true => DataFolder::share(&config.data)?,
        false => DataFolder::open(&config.data)?,
    };
    let journals = ["store.journal", "queue.journal"].map(|name| data.file(name));
    if matches!((&config.queue, &config.store), (QueueAt::Embedded, StoreAt::Embedded)) {
        refuse_half(&journals)?;
    }
    let [store_path, queue_path] = &journals;
    let store = match &config.store {
        StoreAt::Embedded => {
            let store = store::Embedded::open(store_path, config.durability)?;
            tell_cut("store", store.cut_bytes());
            Store::Embedded(Box::new(store))
        }
        StoreAt::Redis(options) => Store::Redis(Redis::open(options).await?),
    };
    let queue = match &config.queue {
        QueueAt::Embedded => {
            let queue = queue::Embedded::open(queue_path, config.durability, config.queue_max)?;
            tell_cut("queue", queue.cut_bytes());
            Queue::Embedded(Arc::new(queue))
        }
        QueueAt::RabbitMq(options) => {
            Queue::RabbitMq(Arc::new(RabbitMq::open(options.clone()).await?))
        }
    };
    Ok(Opened { data, queue, store })
}

fn tell_cut(journal: &str, cut_bytes: u64) {
    if cut_bytes > 0 {
        tracing::warn!(journal, cut_bytes, "cut an unfinished write at the end");
    }
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
