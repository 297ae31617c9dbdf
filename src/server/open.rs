//! Opening the engines, and the sale.

use std::path::PathBuf;

use crate::journal;
use crate::profile::ServePlan;
use crate::queue::{Queue, QueueAt};
use crate::sale::Terms;
use crate::store::{Store, StoreAt, StoreError};

use super::data_dir::DataDir;
use super::error::ServeError;

/// The data dir and the engines of a server.
pub(super) struct Opened {
    pub(super) data: DataDir,
    pub(super) queue: Queue,
    pub(super) store: Store,
}

/// Opens both engines and the data dir, which no other process may use if an engine is in it.
pub(super) async fn open(plan: &ServePlan) -> Result<Opened, ServeError> {
    let queue = QueueAt::new(plan.broker.clone(), plan.queue_max, &plan.flaws);
    let store = StoreAt::new(plan.redis.clone(), &plan.flaws);
    let shared = [queue.is_shared(), store.is_shared()];
    let data = match shared {
        [true, true] => DataDir::share(&plan.data)?,
        _ => DataDir::open(&plan.data)?,
    };
    let journals = ["store.journal", "queue.journal"].map(|name| data.file(name));
    if shared == [false, false] {
        refuse_if_one_journal_is_missing(&journals)?;
    }
    let [store_path, queue_path] = &journals;
    let (durability, max) = (plan.durability, plan.queue_max);
    let store = Store::open(&store, store_path, durability).await?;
    let queue = Queue::open(&queue, queue_path, durability, max).await?;
    Ok(Opened { data, queue, store })
}

/// Refuses a data dir in which one journal is missing while the other has records: the
/// recorded attempts would be decided again.
fn refuse_if_one_journal_is_missing(journals: &[PathBuf; 2]) -> Result<(), ServeError> {
    for (lost, left) in [(0, 1), (1, 0)].map(|(a, b)| (&journals[a], &journals[b])) {
        if !lost.exists() && journal::is_used(left)? {
            return Err(ServeError::MissingJournal { lost: lost.clone(), left: left.clone() });
        }
    }
    Ok(())
}

/// Opens the sale, or resumes the one that the store has of this item. Consumer-only processes skip
/// this; API processes open the sale.
pub(super) async fn sale(store: &Store, plan: &ServePlan) -> Result<(), StoreError> {
    if !plan.accepts {
        return Ok(());
    }
    let ServePlan { item, stock, per_buyer, opens_us, closes_us, hold_us, .. } = plan.clone();
    let terms = Terms { item, stock, per_buyer, opens_us, closes_us, hold_us };
    if plan.fresh_sale {
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
