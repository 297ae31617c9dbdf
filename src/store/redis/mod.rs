//! A store in a Redis server or a Redis Cluster, shared by any number of processes.
//!
//! Each decision is one Lua script, which Redis runs atomically: dedupe, limit, decrement, order
//! and result happen together or not at all.

mod bucket;
mod buckets;
mod cluster;
mod connect;
mod connection;
mod ends;
mod failure;
mod flaws;
mod keys;
mod layout;
mod ledger;
mod link;
mod lookups;
mod orders;
mod persistence;
mod poll;
mod problem;
mod records;
mod register;
mod reserve;
mod scan;
mod scripts;
mod single;
mod slot;

use std::sync::Arc;

use crate::api::OrderStatus;
use crate::flaws::Flaws;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::sale::{Attempt, Ending, NewAttempt, Order, Terms};
use crate::secret::EngineUrl;

use super::ledger::{Ledger, Rows};
use super::orders::OrderRef;
use super::waiters::Waiters;
use super::{
    Announced, Decided, Known, Lookup, RegisterBacklog, RegisterScan, Reservation, SaleView,
    StoreError,
};
use bucket::Bucket;
use buckets::{Buckets, keys_of};
use link::Link;
use lookups::{Announce, Question};
use poll::Poll;

pub use keys::ROUTE as ROUTING_KEY;
pub(super) use ledger::LedgerRows;
pub use problem::OpenError;

/// How to use a Redis server or cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// `redis://user:password@host:port/db`, or the nodes of a cluster:
    /// `redis+cluster://user:password@host:port,host:port`.
    pub url: EngineUrl,
    /// Over how many buckets the stock is spread, at least 1.
    pub buckets: usize,
    /// The flaws that the use of it is to have; with several buckets there are none.
    pub flaws: Flaws,
}

/// A store in a Redis server or cluster.
#[derive(Debug)]
pub struct Redis {
    stock: Stock,
    waiters: Arc<Waiters>,
    _poll: Poll,
}

/// Where the stock is.
#[derive(Debug)]
enum Stock {
    Whole(Box<Bucket>),
    Spread(Buckets),
}

/// Calls an async function of the one bucket, or of the several ones.
macro_rules! delegate {
    ($self:expr, $stock:ident => $answer:expr) => {
        match &$self.stock {
            Stock::Whole($stock) => $answer.await,
            Stock::Spread($stock) => $answer.await,
        }
    };
}

impl Redis {
    /// Connects; from then on it reconnects on its own. Logs a warning when the server could lose
    /// sales.
    ///
    /// # Errors
    /// Returns an error when the server cannot be reached now.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let links = Link::open(&options.url, keys_of(options.buckets)).await?;
        persistence::warn(&links).await;
        let waiters = Arc::new(Waiters::default());
        let poll = Poll::start(&links, &waiters);
        let mut all: Vec<Bucket> =
            links.into_iter().map(|link| Bucket::new(link, &options.flaws)).collect();
        let stock = match all.pop() {
            Some(only) if all.is_empty() => Stock::Whole(Box::new(only)),
            last => Stock::Spread(Buckets::start(all.into_iter().chain(last).collect())),
        };
        Ok(Self { stock, waiters, _poll: poll })
    }

    pub(super) async fn open_sale(&self, terms: Terms) -> Result<SaleView, StoreError> {
        delegate!(self, stock => stock.open_sale(terms, "fresh"))
    }

    pub(super) async fn open_or_resume(&self, terms: Terms) -> Result<SaleView, StoreError> {
        match self.sale(Some(&terms.item)).await {
            Err(StoreError::UnknownItem) => {
                delegate!(self, stock => stock.open_sale(terms, "unless-open"))
            }
            found => found,
        }
    }

    pub(super) async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        delegate!(self, stock => stock.sale(item))
    }

    pub(super) async fn lookup(
        &self,
        request_id: &RequestId,
        item: Option<&ItemId>,
        buyer: &BuyerId,
        announce_us: Option<u64>,
    ) -> Result<Lookup, StoreError> {
        let announce = announce_us.map(|accepted_us| Announce { accepted_us, epoch: None });
        let (request_id, buyer, item) = (*request_id, buyer.clone(), item.cloned());
        let question = Question { request_id, buyer, item, announce };
        delegate!(self, stock => stock.lookup(question))
    }

    pub(super) async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        delegate!(self, stock => stock.known(request_id))
    }

    pub(super) async fn announce(&self, new: &NewAttempt) -> Result<Announced, StoreError> {
        let NewAttempt { request_id, buyer, item, epoch, accepted_us } = new.clone();
        let announce = Some(Announce { accepted_us, epoch: Some(epoch) });
        let question = Question { request_id, buyer, item: Some(item), announce };
        let found = delegate!(self, stock => stock.lookup(question))?;
        let known = found.known.map(Announced::Known);
        known.or(found.announced.map(Announced::Fresh)).ok_or(StoreError::Unknown)
    }

    pub(super) async fn confirm(&self, attempts: &[Arc<Attempt>]) -> Result<(), StoreError> {
        delegate!(self, stock => stock.confirm(attempts))
    }

    pub(super) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let withdrawn = delegate!(self, stock => stock.withdraw(attempt))?;
        if withdrawn {
            self.waiters.wake(&attempt.request_id);
        }
        Ok(withdrawn)
    }

    pub(super) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        delegate!(self, stock => stock.unconfirmed(before_us))
    }

    pub(super) async fn overdue(
        &self,
        scan: &mut RegisterScan,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        delegate!(self, stock => stock.overdue(scan, before_us))
    }

    pub(super) async fn waiting(&self, epoch: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        delegate!(self, stock => stock.waiting(epoch))
    }

    pub(super) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        delegate!(self, stock => stock.waiting_count(item))
    }

    pub(super) async fn backlog(&self, item: &ItemId) -> Result<RegisterBacklog, StoreError> {
        delegate!(self, stock => stock.backlog(item))
    }

    pub(super) async fn position(
        &self,
        attempt: &Attempt,
    ) -> Result<(Option<usize>, u64), StoreError> {
        delegate!(self, stock => stock.position(attempt))
    }

    pub(super) async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let decided = delegate!(self, stock => stock.reserve(attempts, now_us))?;
        Ok(Reservation { decided, last_record: None })
    }

    pub(super) async fn lose_undeliverable(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let decided = delegate!(self, stock => stock.lose_undeliverable(attempts, now_us))?;
        Ok(Reservation { decided, last_record: None })
    }

    pub(super) async fn end_order(
        &self,
        order: &OrderRef,
        ending: Ending,
        now_us: u64,
    ) -> Result<Option<OrderStatus>, StoreError> {
        delegate!(self, stock => stock.end_order(order, ending, now_us))
    }

    pub(super) async fn expire_due(&self, now_us: u64, max: usize) -> Result<usize, StoreError> {
        delegate!(self, stock => stock.expire_due(now_us, max))
    }

    pub(super) async fn order(&self, decided: &Decided) -> Result<Option<Order>, StoreError> {
        delegate!(self, stock => stock.order(decided))
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    pub(super) async fn ledger(&self, epoch: u64) -> Result<Ledger, StoreError> {
        let (sale, rows, ended) = delegate!(self, stock => stock.ledger(epoch))?;
        Ok(Ledger { sale, rows: Rows::Redis(rows), ended })
    }

    pub(super) fn unavailable(&self) -> Option<String> {
        let is_connected = match &self.stock {
            Stock::Whole(bucket) => bucket.link.is_connected(),
            Stock::Spread(buckets) => buckets.is_connected(),
        };
        (!is_connected).then(|| StoreError::Unavailable.to_string())
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        delegate!(self, stock => stock.check())
    }
}
