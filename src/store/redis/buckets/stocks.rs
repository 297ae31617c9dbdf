//! Asking all buckets for the stock of a sale. One round of questions serves all who asked before
//! it began: they may use what was true at any moment since.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::ids::ItemId;

use super::super::super::StoreError;
use super::super::link::{Access, Link};
use super::super::scripts::SCRIPTS;
use super::join::try_join_all;
use super::stock::{Stock, Transfer};

/// Who waits for the next round; further ones wait until there is room.
const WAITING_MAX: usize = 1_024;

/// For how long units are on their way until anybody completes the transfer: the process that has
/// begun it has failed. It is more than a call takes mostly, since units that arrive are sold in
/// the same step if that process completes it.
const STALE: Duration = Duration::from_millis(200);

/// Reads of a sale of which units seem to be sold twice.
const READS_MAX: usize = 5;

/// What was found of a sale.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) stock: Arc<Stock>,
    /// Whether at one moment during the round no unit was left, anywhere.
    pub(super) is_sold_out: bool,
}

#[derive(Debug)]
struct Asked {
    epoch: u64,
    answer: oneshot::Sender<Result<Found, StoreError>>,
}

/// The way to the rounds, which end when it is dropped.
#[derive(Debug)]
pub(super) struct Stocks {
    asked: mpsc::Sender<Asked>,
    gone: Gone,
}

/// For how long a sale that was sold out for good counts as that. If Redis has lost all data, the
/// epochs begin again, and another sale may have the same one.
const GONE_FOR: Duration = Duration::from_secs(1);

/// Sales that are sold out for good, since they do not hold their orders: the last one of each
/// item, and when that was found.
#[derive(Debug, Clone, Default)]
struct Gone(Arc<Mutex<HashMap<ItemId, (u64, Instant)>>>);

impl Gone {
    fn lock(&self) -> MutexGuard<'_, HashMap<ItemId, (u64, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stocks {
    pub(super) fn start(links: Vec<Link>) -> Self {
        let (asked, waiting) = mpsc::channel(WAITING_MAX);
        let gone = Gone::default();
        tokio::spawn(run(links, waiting, gone.clone()));
        Self { asked, gone }
    }

    /// The epoch of the item's sale that is sold out for good, if it was found to be a moment ago.
    pub(super) fn gone(&self, item: &ItemId) -> Option<u64> {
        let (epoch, since) = self.gone.lock().get(item).copied()?;
        (since.elapsed() < GONE_FOR).then_some(epoch)
    }

    /// Asks all buckets for the stock of a sale.
    pub(super) async fn ask(&self, epoch: u64) -> Result<Found, StoreError> {
        let (answer, answered) = oneshot::channel();
        // The task ends only with the runtime.
        let asked = self.asked.send(Asked { epoch, answer }).await;
        asked.map_err(|_| StoreError::Unavailable)?;
        answered.await.unwrap_or(Err(StoreError::Unavailable))
    }
}

async fn run(links: Vec<Link>, mut waiting: mpsc::Receiver<Asked>, gone: Gone) {
    let (mut asked, mut on_way) = (Vec::new(), OnWay::default());
    while waiting.recv_many(&mut asked, WAITING_MAX).await > 0 {
        asked.sort_by_key(|asked| asked.epoch);
        let mut asked = asked.drain(..).peekable();
        while let Some(first) = asked.next() {
            let epoch = first.epoch;
            let found = round(&links, epoch, &mut on_way, &gone).await;
            let same = std::iter::from_fn(|| asked.next_if(|asked| asked.epoch == epoch));
            for asked in std::iter::once(first).chain(same) {
                // Whoever has gone does not need the answer.
                let _ = asked.answer.send(found.clone());
            }
        }
    }
}

async fn round(
    links: &[Link],
    epoch: u64,
    on_way: &mut OnWay,
    gone: &Gone,
) -> Result<Found, StoreError> {
    let stock = read(links, epoch).await?;
    on_way.complete_stale(links, &stock).await?;
    let is_final = stock.terms.hold_us.is_none();
    let is_sold_out = match stock.is_sold() {
        true if is_final => true,
        // Orders that were given back in between may have been of units that were sold elsewhere.
        true => read(links, epoch).await?.has_no_returns_since(&stock),
        false => false,
    };
    if is_sold_out && is_final {
        gone.lock().insert(stock.terms.item.clone(), (epoch, Instant::now()));
    }
    Ok(Found { stock: Arc::new(stock), is_sold_out })
}

/// Reads what all buckets say of a sale.
pub(super) async fn read(links: &[Link], epoch: u64) -> Result<Stock, StoreError> {
    let records = try_join_all(links.iter().map(async |link| {
        let mut get = redis::cmd("HGETALL");
        get.arg(link.key_of("sale", epoch));
        link.ask::<HashMap<String, String>>(&get).await
    }));
    Stock::read(epoch, &records.await?)?.ok_or(StoreError::UnknownItem)
}

/// Reads a sale until no unit seems to be sold twice.
pub(super) async fn read_whole(links: &[Link], epoch: u64) -> Result<Stock, StoreError> {
    let mut stock = read(links, epoch).await?;
    for _ in 1..READS_MAX {
        if stock.left() >= 0 {
            break;
        }
        stock = read(links, epoch).await?;
    }
    Ok(stock)
}

/// Transfers that were seen before, of the sales that were asked about last, and since when.
#[derive(Debug, Default)]
struct OnWay(HashMap<(u64, Transfer), Instant>);

impl OnWay {
    /// Completes the transfers that were there some time ago.
    async fn complete_stale(&mut self, links: &[Link], stock: &Stock) -> Result<(), StoreError> {
        let (epoch, now) = (stock.epoch, Instant::now());
        let seen: HashMap<_, _> = stock
            .transfers()
            .map(|transfer| {
                let since = self.0.get(&(epoch, transfer)).copied().unwrap_or(now);
                ((epoch, transfer), since)
            })
            .collect();
        self.0.retain(|(other, _), since| *other != epoch && now - *since < 2 * STALE);
        let stale = seen.iter().filter(|(_, since)| now - **since >= STALE);
        let complete = stale.map(|((_, transfer), _)| take(&links[transfer.to], epoch, *transfer));
        let completed = try_join_all(complete).await;
        self.0.extend(seen);
        completed.map(drop)
    }
}

async fn take(link: &Link, epoch: u64, transfer: Transfer) -> Result<(), StoreError> {
    let mut take = SCRIPTS.take.arg(link.keys(), epoch);
    take.arg(transfer.from).arg(transfer.given);
    let taken: Result<u64, StoreError> = link.run(&take, Access::Write).await;
    // Whether it arrived is seen in the next round.
    taken.map(drop).map_err(|_| StoreError::Unavailable)
}
