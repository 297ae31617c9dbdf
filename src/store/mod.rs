//! The store: sales, decisions, and the one place where stock goes down.

mod embedded;
mod error;
mod known;
mod ledger;
mod open;
mod redis;
mod reservation;
mod sale_view;
mod waiters;

use std::sync::Arc;

use crate::ids::{BuyerId, ItemId, RequestId};
use crate::sale::{Attempt, NewAttempt, Terms};

pub use embedded::Embedded;
pub use error::StoreError;
pub use known::{Announced, Decided, Known, Look};
pub use ledger::Ledger;
pub use open::{OpenError, StoreAt};
pub use redis::{OpenError as RedisError, Options as RedisOptions, Redis};
pub use reservation::Reservation;
pub use sale_view::SaleView;
pub use waiters::Waiter;

/// Where sales and decisions are kept.
#[derive(Debug)]
pub enum Store {
    /// In this process, on a journal of its own.
    Embedded(Box<Embedded>),
    /// In a Redis server, shared with other processes.
    Redis(Redis),
}

macro_rules! ask {
    ($self:expr, $store:ident => $answer:expr) => {
        match $self {
            Store::Embedded($store) => $answer,
            Store::Redis($store) => $answer,
        }
    };
}

impl Store {
    /// Opens a fresh sale, instead of an earlier one of the same item. It is durable when this
    /// returns.
    ///
    /// # Errors
    /// When it was not opened, or that is unknown.
    pub async fn open_sale(&self, terms: Terms) -> Result<SaleView, StoreError> {
        ask!(self, store => store.open_sale(terms).await)
    }

    /// Opens a sale unless there is one of this item: that one is given back then.
    ///
    /// # Errors
    /// When it was not opened, or that is unknown.
    pub async fn open_or_resume(&self, terms: Terms) -> Result<SaleView, StoreError> {
        ask!(self, store => store.open_or_resume(terms).await)
    }

    /// The sale of this item, or the only sale there is.
    ///
    /// # Errors
    /// When there is no such sale, or it is not clear which.
    pub async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        ask!(self, store => store.sale(item).await)
    }

    /// What is known of an attempt that has come. With `announce_us`, when it came, a store that
    /// can announces it in the same breath, as [`Store::announce`] does, if nothing stands against
    /// it; it need not.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn look(
        &self,
        request_id: &RequestId,
        item: Option<&ItemId>,
        buyer: &BuyerId,
        announce_us: Option<u64>,
    ) -> Result<Look, StoreError> {
        match self {
            Self::Embedded(store) => store.look(request_id, item, buyer).await,
            Self::Redis(store) => store.look(request_id, item, buyer, announce_us).await,
        }
    }

    /// What is known of a request id.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        ask!(self, store => store.known(request_id).await)
    }

    /// Puts an attempt that is about to be queued into the register of those that wait, for a
    /// queue that cannot be asked for one. It stays there until it is decided or withdrawn.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not in the register.
    pub async fn announce(&self, new: &NewAttempt) -> Result<Announced, StoreError> {
        ask!(self, store => store.announce(new).await)
    }

    /// Notes that announced attempts are in the queue.
    ///
    /// # Errors
    /// When that could not be noted: they may be queued once more then.
    pub async fn confirm(&self, attempts: &[Arc<Attempt>]) -> Result<(), StoreError> {
        ask!(self, store => store.confirm(attempts).await)
    }

    /// Takes an attempt that certainly is not queued out of the register. `false` when the same
    /// attempt was announced again meanwhile, and so may be queued all the same.
    ///
    /// # Errors
    /// When it is not known whether it is out.
    pub async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        ask!(self, store => store.withdraw(attempt).await)
    }

    /// The register: all attempts at the item's sale `epoch` that were announced and are not
    /// decided.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn waiting(&self, epoch: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        ask!(self, store => store.waiting(epoch).await)
    }

    /// Attempts in the register, of all sales, that came before a moment and are not known to be in
    /// the queue. Whoever asks is to queue them: from now on they are not withdrawn.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn unconfirmed(&self, before_us: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        ask!(self, store => store.unconfirmed(before_us).await)
    }

    /// How many attempts at this item are in the register.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        ask!(self, store => store.waiting_count(item).await)
    }

    /// Decides attempts at one item, one after the other. One that was decided before keeps its
    /// decision.
    ///
    /// # Errors
    /// When none was decided, or that is unknown: then the same may be asked again.
    pub async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        ask!(self, store => store.reserve(attempts, now_us).await)
    }

    /// Decides attempts at one item that could not be delivered: they lose, unless they were
    /// decided before.
    ///
    /// # Errors
    /// As [`Store::reserve`].
    pub async fn give_up(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        ask!(self, store => store.give_up(attempts, now_us).await)
    }

    /// Waits until every decision of a reservation is committed, tells those who wait for one, and
    /// gives them in the order of the attempts.
    ///
    /// # Errors
    /// When it is not known whether they are.
    pub async fn commit(&self, reserved: Reservation) -> Result<Vec<Arc<Decided>>, StoreError> {
        match self {
            Self::Embedded(store) => store.commit(&reserved).await?,
            // What it has answered is committed.
            Self::Redis(_) => {}
        }
        ask!(self, store => store.waiters()).tell(&reserved.decided);
        Ok(reserved.decided)
    }

    /// Begins to wait for the decision of one attempt, by whatever process. Begin, then look, and
    /// it is not missed.
    pub fn wait(&self, request_id: RequestId) -> Waiter<'_> {
        ask!(self, store => store.waiters()).wait(request_id)
    }

    /// How many attempts somebody waits for.
    pub fn awaited(&self) -> usize {
        ask!(self, store => store.waiters()).len()
    }

    /// A sale, the present one or an earlier one, with its decisions, all of them committed.
    ///
    /// # Errors
    /// When there is no such sale, or a decision could not be committed.
    pub async fn ledger(&self, epoch: u64) -> Result<Ledger, StoreError> {
        ask!(self, store => store.ledger(epoch).await)
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            // It is in this process: it answers, or the process has ended.
            Self::Embedded(_) => Ok(()),
            Self::Redis(store) => store.check().await,
        }
    }

    /// Writes and syncs what is not yet, and takes no more.
    ///
    /// # Errors
    /// The reason, when that failed.
    pub fn close(&self) -> Result<(), String> {
        match self {
            Self::Embedded(store) => store.close(),
            Self::Redis(_) => Ok(()),
        }
    }

    /// Resolves with the reason when the store has failed for good. A Redis server never has: it
    /// may come back.
    pub async fn failed(&self) -> String {
        match self {
            Self::Embedded(store) => store.failed().await,
            Self::Redis(_) => std::future::pending().await,
        }
    }
}
