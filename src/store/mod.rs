//! The store: sales, decisions, and the one place where stock goes down.
//!
//! Owns the store engines behind one closed enum, and the register of attempts for queues that have
//! no lookup. It knows neither the queue nor HTTP.

#[macro_use]
mod delegate;
mod embedded;
mod error;
mod glance;
mod known;
mod ledger;
mod limits;
mod open;
mod orders;
mod redis;
mod reservation;
mod sale_view;
mod scan;
mod waiters;

use std::sync::Arc;

use crate::api::OrderStatus;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::sale::{Attempt, Ending, NewAttempt, Order, Terms};

pub use embedded::{Embedded, Recovery};
pub use error::StoreError;
pub use glance::Glance;
pub use known::{Announced, Decided, Known, Lookup, RegisterBacklog};
pub use ledger::Ledger;
pub use open::StoreAt;
pub use orders::OrderRef;
pub use redis::{OpenError as RedisError, Options as RedisOptions, ROUTING_KEY, Redis};
pub use reservation::Reservation;
pub use sale_view::SaleView;
pub use scan::RegisterScan;
pub use waiters::Waiter;
use waiters::Waiters;

/// Where sales and decisions are kept.
#[derive(Debug)]
pub enum Store {
    /// In this process, with a journal.
    Embedded(Box<Embedded>),
    /// In a Redis server or cluster, shared with other processes.
    Redis(Redis),
}

impl Store {
    /// Opens a fresh sale, which replaces an earlier one of the same item. It is durable when this
    /// returns.
    ///
    /// # Errors
    /// Returns an error when it was not opened, or that is unknown.
    pub async fn open_sale(&self, terms: Terms) -> Result<SaleView, StoreError> {
        delegate!(self, store => store.open_sale(terms))
    }

    /// Opens a sale, or returns the existing one of this item.
    ///
    /// # Errors
    /// Returns an error when it was not opened, or that is unknown.
    pub async fn open_or_resume(&self, terms: Terms) -> Result<SaleView, StoreError> {
        delegate!(self, store => store.open_or_resume(terms))
    }

    /// The sale of this item, or the only sale there is.
    ///
    /// # Errors
    /// Returns an error when there is no such sale, or several and no item is named.
    pub async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        delegate!(self, store => store.sale(item))
    }

    /// What is known about a new attempt. With `announce_us`, the time of its arrival, the store
    /// may announce it in the same step, as [`Store::announce`] does, if nothing speaks against it.
    /// A store may ignore it.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn lookup(
        &self,
        request_id: &RequestId,
        item: Option<&ItemId>,
        buyer: &BuyerId,
        announce_us: Option<u64>,
    ) -> Result<Lookup, StoreError> {
        match self {
            Self::Embedded(store) => store.lookup(request_id, item, buyer).await,
            Self::Redis(store) => {
                Box::pin(store.lookup(request_id, item, buyer, announce_us)).await
            }
        }
    }

    /// The store of this process, if this is it: it can be looked at without waiting.
    pub fn in_memory(&self) -> Option<&Embedded> {
        match self {
            Self::Embedded(store) => Some(store),
            Self::Redis(_) => None,
        }
    }

    /// What is known of a request id.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        delegate!(self, store => store.known(request_id))
    }

    /// Adds an attempt that is about to be published to the register, for a queue without lookup.
    /// It stays there until it is decided or withdrawn.
    ///
    /// # Errors
    /// Returns [`StoreError::Unavailable`] when it is not in the register.
    pub async fn announce(&self, new: &NewAttempt) -> Result<Announced, StoreError> {
        delegate!(self, store => store.announce(new))
    }

    /// Marks announced attempts as queued.
    ///
    /// # Errors
    /// Returns an error when they were not marked; they may be published again then.
    pub async fn confirm(&self, attempts: &[Arc<Attempt>]) -> Result<(), StoreError> {
        delegate!(self, store => store.confirm(attempts))
    }

    /// Withdraws an announced attempt: it will not be decided, although a message of it may be in
    /// the queue, for which a tombstone is left. If the same request id is announced again, that is
    /// another attempt, at a later position in the order.
    ///
    /// `false` when the attempt was not withdrawn, and so may be decided: the same attempt was
    /// announced again meanwhile, is known to be queued, or its sale has 100,000 tombstones.
    ///
    /// # Errors
    /// Returns an error when it is unknown whether it was removed.
    pub async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        delegate!(self, store => store.withdraw(attempt))
    }

    /// The register: all attempts at the item's sale `epoch` that were announced and are not
    /// decided.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn waiting(&self, epoch: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        delegate!(self, store => store.waiting(epoch))
    }

    /// Attempts in the register, of all sales, that were accepted before a moment and are not known
    /// to be queued. The caller is going to publish them, so they cannot be withdrawn from now on.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn unconfirmed(&self, before_us: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        delegate!(self, store => store.unconfirmed(before_us))
    }

    /// A part of the attempts in the register, of all sales, that were accepted before a moment,
    /// oldest first. Repeated calls with the same `scan` find all of them.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn overdue(
        &self,
        scan: &mut RegisterScan,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        match self {
            Self::Embedded(store) => Ok(store.overdue(before_us)),
            Self::Redis(store) => store.overdue(scan, before_us).await,
        }
    }

    /// How many attempts at this item are in the register.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        delegate!(self, store => store.waiting_count(item))
    }

    /// How many attempts the register holds, and how many were decided.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn backlog(&self, item: &ItemId) -> Result<RegisterBacklog, StoreError> {
        delegate!(self, store => store.backlog(item))
    }

    /// How many attempts at the same item are before this one in the register, and how many were
    /// ever decided. The first is `None` if it is not there, or if counting would take too long.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn position(&self, attempt: &Attempt) -> Result<(Option<usize>, u64), StoreError> {
        delegate!(self, store => store.position(attempt))
    }

    /// Decides attempts at one item, one after the other. An attempt that was decided before keeps
    /// its decision, and one that was withdrawn is left out.
    ///
    /// # Errors
    /// Returns an error when none was decided, or that is unknown. The call can be repeated then.
    pub async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        delegate!(self, store => store.reserve(attempts, now_us))
    }

    /// Decides attempts at one item that could not be delivered: they lose, unless they were
    /// decided before. One that was withdrawn is left out.
    ///
    /// # Errors
    /// As [`Store::reserve`].
    pub async fn lose_undeliverable(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        delegate!(self, store => store.lose_undeliverable(attempts, now_us))
    }

    /// Waits until every decision of a reservation is committed, notifies the waiters, and returns
    /// the decisions in the order of the attempts.
    ///
    /// # Errors
    /// Returns an error when it is unknown whether they are committed.
    pub async fn commit(&self, reserved: Reservation) -> Result<Vec<Arc<Decided>>, StoreError> {
        match self {
            Self::Embedded(store) => store.commit(&reserved).await?,
            // Redis has committed what it has answered.
            Self::Redis(_) => {}
        }
        self.waiters().notify(&reserved.decided);
        Ok(reserved.decided)
    }

    /// Ends the hold of an order, if it is held, and returns the status that it has then. From its
    /// deadline on it expires, whatever is to end it. The same call can be repeated: an order that
    /// was ended stays as it is. `None` when the attempt has not won this order, or it needs no
    /// payment.
    ///
    /// # Errors
    /// Returns an error when it had no effect, or that is unknown.
    pub async fn end_order(
        &self,
        order: &OrderRef,
        ending: Ending,
        now_us: u64,
    ) -> Result<Option<OrderStatus>, StoreError> {
        delegate!(self, store => store.end_order(order, ending, now_us))
    }

    /// Expires held orders whose deadline has passed, of all sales, at most `max` of them, and
    /// returns how many were due. Several processes may do this at a time.
    ///
    /// # Errors
    /// Returns an error when it is unknown which of them have expired.
    pub async fn expire_due(&self, now_us: u64, max: usize) -> Result<usize, StoreError> {
        delegate!(self, store => store.expire_due(now_us, max))
    }

    /// The order that an attempt has won, if it needs a payment.
    ///
    /// # Errors
    /// Returns an error when the store does not answer.
    pub async fn order(&self, decided: &Decided) -> Result<Option<Order>, StoreError> {
        match decided.held_until_us {
            Some(_) => delegate!(self, store => store.order(decided)),
            None => Ok(None),
        }
    }

    /// Starts waiting for the decision on one attempt, by any process. Start before the lookup, so
    /// that no decision is missed.
    pub fn wait(&self, request_id: RequestId) -> Waiter<'_> {
        self.waiters().wait(request_id)
    }

    fn waiters(&self) -> &Waiters {
        match self {
            Self::Embedded(store) => store.waiters(),
            Self::Redis(store) => store.waiters(),
        }
    }

    /// How many attempts have waiters.
    pub fn awaited(&self) -> usize {
        self.waiters().len()
    }

    /// A sale, the current one or an earlier one, with its decisions, all of them committed. With
    /// many decisions this takes seconds of a core: call it outside the threads that answer buyers.
    ///
    /// # Errors
    /// Returns an error when there is no such sale, or a decision could not be committed.
    pub async fn ledger(&self, epoch: u64) -> Result<Ledger, StoreError> {
        delegate!(self, store => store.ledger(epoch))
    }

    /// Why the store can commit nothing at this moment, as far as that is known without asking a
    /// server: the disk of the embedded one hangs, or there is no connection to Redis.
    pub fn unavailable(&self) -> Option<String> {
        match self {
            Self::Embedded(store) => store.unavailable(),
            Self::Redis(store) => store.unavailable(),
        }
    }

    /// Checks that the store can be used, with a request to a Redis server.
    ///
    /// # Errors
    /// Returns the reason when it commits nothing or does not answer.
    pub async fn check(&self) -> Result<(), String> {
        match self {
            Self::Embedded(store) => store.unavailable().map_or(Ok(()), Err),
            Self::Redis(store) => store.check().await.map_err(|error| error.to_string()),
        }
    }

    /// Writes and syncs the pending records, and closes the store for new ones.
    ///
    /// # Errors
    /// Returns the reason when that failed.
    pub fn close(&self) -> Result<(), String> {
        match self {
            Self::Embedded(store) => store.close(),
            Self::Redis(_) => Ok(()),
        }
    }

    /// Resolves with the reason when the store has failed permanently. A Redis server never does:
    /// it may come back.
    pub async fn failed(&self) -> String {
        match self {
            Self::Embedded(store) => store.failed().await,
            Self::Redis(_) => std::future::pending().await,
        }
    }
}
