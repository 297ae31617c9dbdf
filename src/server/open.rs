//! Opening the engines, and the sale.

use std::path::PathBuf;
use std::sync::Arc;

use crate::journal::SystemDisk;
use crate::profile::ServePlan;
use crate::queue::{Queue, QueueAt};
use crate::sale::Terms;
use crate::store::{Store, StoreAt, StoreError};

use super::data_dir::DataDir;
use super::engines::{self, JOURNAL, open_engines};
use super::error::ServeError;

/// The journals of versions in which queue and store had one each.
const EARLIER_JOURNALS: [&str; 2] = ["queue.journal", "store.journal"];

/// The data dir and the engines of a server.
pub(super) struct Opened {
    pub(super) data: DataDir,
    pub(super) queue: Queue,
    pub(super) store: Store,
}

/// Opens both engines and the data dir, which no other process may use if an engine is in it.
pub(super) async fn open(plan: &ServePlan) -> Result<Opened, ServeError> {
    let queue = QueueAt::new(plan.broker.clone(), plan.queue_max, &plan.flaws);
    let store = StoreAt::new(plan.redis.clone(), plan.stock_buckets, &plan.flaws);
    let data = match (&queue, &store) {
        (QueueAt::RabbitMq(_), StoreAt::Redis(_)) => DataDir::share(&plan.data)?,
        _ => DataDir::open(&plan.data)?,
    };
    let (disk, path, durability) = (SystemDisk::shared(), journal(&data)?, plan.durability);
    let (queue, store) = match (queue, store) {
        (QueueAt::Embedded(queue), StoreAt::Embedded(store)) => {
            let (queue, store) = open_engines(&disk, &path, durability, queue, *store)?;
            (Queue::Embedded(Arc::new(queue)), Store::Embedded(Box::new(store)))
        }
        (QueueAt::Embedded(mut queue), StoreAt::Redis(options)) => {
            let store = Store::connect(&options).await?;
            let journal = engines::open(&disk, &path, durability, Some(&mut queue), None)?;
            (Queue::Embedded(Arc::new(queue.finish(journal))), store)
        }
        (QueueAt::RabbitMq(options), StoreAt::Embedded(mut store)) => {
            let journal = engines::open(&disk, &path, durability, None, Some(&mut store))?;
            (Queue::connect(options).await?, Store::Embedded(Box::new(store.finish(journal))))
        }
        (QueueAt::RabbitMq(queue), StoreAt::Redis(store)) => {
            let store = Store::connect(&store).await?;
            (Queue::connect(queue).await?, store)
        }
    };
    Ok(Opened { data, queue, store })
}

/// Where the journal is. The file that a link leads to stays the journal when it is compacted.
fn journal(data: &DataDir) -> Result<PathBuf, ServeError> {
    let earlier = EARLIER_JOURNALS.map(|name| data.file(name));
    if let Some(path) = earlier.into_iter().find(|path| path.exists()) {
        return Err(ServeError::EarlierJournal { path });
    }
    let path = data.file(JOURNAL);
    Ok(path.canonicalize().unwrap_or(path))
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
