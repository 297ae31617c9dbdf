//! A store in a Redis server or a Redis Cluster, shared by any number of processes.
//!
//! Each decision is one Lua script, which Redis runs atomically: dedupe, limit, decrement, order
//! and result happen together or not at all.

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

use std::sync::Arc;

use crate::flaws::Flaws;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::sale::{Attempt, Terms};
use crate::secret::EngineUrl;

use super::ledger::{Ledger, Rows};
use super::waiters::Waiters;
use super::{Known, Lookup, Reservation, SaleView, StoreError};
use ends::EndOrders;
use link::{Access, Link};
use lookups::{Announce, Lookups, Question};
use poll::Poll;
use records::{current, known, named, view};
use reserve::Reserve;
use scripts::SCRIPTS;

pub use keys::ROUTE as ROUTING_KEY;
pub(super) use ledger::LedgerRows;
pub use problem::OpenError;

/// How to use a Redis server or cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// `redis://user:password@host:port/db`, or the nodes of a cluster:
    /// `redis+cluster://user:password@host:port,host:port`.
    pub url: EngineUrl,
    /// The flaws that the use of it is to have.
    pub flaws: Flaws,
}

/// A store in a Redis server or cluster.
#[derive(Debug)]
pub struct Redis {
    link: Link,
    lookups: Lookups,
    reserve: Reserve,
    end_orders: EndOrders,
    waiters: Arc<Waiters>,
    _poll: Poll,
}

impl Redis {
    /// Connects; from then on it reconnects on its own. Logs a warning when the server could lose
    /// sales.
    ///
    /// # Errors
    /// Returns an error when the server cannot be reached now.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let link = Link::open(&options.url).await?;
        persistence::warn(&link).await;
        let waiters = Arc::new(Waiters::default());
        let poll = Poll::start(&link, &waiters);
        let lookups = Lookups::start(link.clone());
        let chosen = &options.flaws;
        let (reserve, end_orders) = (flaws::reserve(chosen), flaws::end_orders(chosen));
        Ok(Self { link, lookups, reserve, end_orders, waiters, _poll: poll })
    }

    pub(super) async fn open_sale(&self, terms: Terms) -> Result<SaleView, StoreError> {
        self.open_terms(terms, "fresh").await
    }

    pub(super) async fn open_or_resume(&self, terms: Terms) -> Result<SaleView, StoreError> {
        match self.sale(Some(&terms.item)).await {
            Err(StoreError::UnknownItem) => self.open_terms(terms, "unless-open").await,
            found => found,
        }
    }

    async fn open_terms(&self, terms: Terms, how: &str) -> Result<SaleView, StoreError> {
        let mut open = SCRIPTS.open.arg(how);
        open.arg(terms.to_string());
        let opened: Vec<String> = self.link.run(&open, Access::Write).await?;
        self.reserve.opened(&self.link, &terms).await?;
        view(&opened)
    }

    pub(super) async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        let sale = SCRIPTS.sale.arg(named(item));
        let (problem, sale): (String, Vec<String>) = self.link.run(&sale, Access::Read).await?;
        current(&problem, &sale)
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
        self.lookups.ask(Question { request_id, buyer, item, announce }).await
    }

    pub(super) async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        let find = SCRIPTS.find.arg(request_id.to_string());
        let (state, record): (String, String) = self.link.run(&find, Access::Read).await?;
        known(&state, &record)
    }

    pub(super) async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let decided = self.reserve.decide(&self.link, attempts, now_us).await?;
        Ok(Reservation { decided, last_record: None })
    }

    pub(super) async fn lose_undeliverable(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let decided = reserve::lose_undeliverable(&self.link, attempts, now_us).await?;
        Ok(Reservation { decided, last_record: None })
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    pub(super) async fn ledger(&self, epoch: u64) -> Result<Ledger, StoreError> {
        let (sale, rows, ended) = ledger::read(&self.link, epoch).await?;
        Ok(Ledger { sale, rows: Rows::Redis(rows), ended })
    }

    pub(super) fn unavailable(&self) -> Option<String> {
        (!self.link.is_connected()).then(|| StoreError::Unavailable.to_string())
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.link.ask(&redis::cmd("PING")).await
    }
}
