//! A store in a Redis server, shared by any number of processes.
//!
//! Each decision is one Lua script, which Redis runs atomically: dedupe, limit, decrement, order
//! and result happen together or not at all.

mod flaws;
mod keys;
mod ledger;
mod link;
mod persistence;
mod poll;
mod records;
mod register;
mod reserve;
mod scan;
mod scripts;

use std::sync::Arc;

use crate::flaws::Flaws;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::sale::{Attempt, Terms};
use crate::secret::EngineUrl;

use super::ledger::{Ledger, Rows};
use super::waiters::Waiters;
use super::{Known, Lookup, Reservation, SaleView, StoreError};
use keys::Keys;
use link::{Access, Link};
use poll::Poll;
use records::{attempt, known, view};
use reserve::Reserve;
use scripts::SCRIPTS;

pub(super) use ledger::LedgerRows;
pub use link::OpenError;
pub(super) use scan::Cursors;

/// How to use a Redis server.
#[derive(Debug, Clone)]
pub struct Options {
    /// `redis://user:password@host:port/db`.
    pub url: EngineUrl,
    /// The flaws that the use of it is to have.
    pub flaws: Flaws,
}

/// A store in a Redis server.
#[derive(Debug)]
pub struct Redis {
    link: Link,
    reserve: Reserve,
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
        // Fills the list of items; the poll repeats it if this fails.
        let _ = link.items().await;
        let waiters = Arc::new(Waiters::default());
        let poll = Poll::start(&link, &waiters);
        Ok(Self { link, reserve: flaws::reserve(&options.flaws), waiters, _poll: poll })
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
        let keys = Keys::of(&terms.item);
        let epoch = self.link.register_sale(&terms.item).await?;
        let mut open = SCRIPTS.open.key(&keys.prefix);
        open.arg(how).arg(epoch).arg(terms.to_string());
        let opened: Vec<String> = self.link.run(&open, Access::Write).await?;
        self.reserve.opened(&self.link, &terms).await?;
        view(&opened)
    }

    pub(super) async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        let item = self.item(item).await?;
        let sale: Vec<String> =
            self.link.run(&SCRIPTS.sale.key(Keys::of(&item).prefix), Access::Read).await?;
        if sale.is_empty() { Err(StoreError::UnknownItem) } else { view(&sale) }
    }

    /// The named item, or the only one on sale.
    async fn item(&self, item: Option<&ItemId>) -> Result<ItemId, StoreError> {
        if let Some(item) = item {
            return Ok(item.clone());
        }
        match self.link.items().await?.as_slice() {
            [] => Err(StoreError::UnknownItem),
            [item] => Ok(item.clone()),
            _ => Err(StoreError::ItemRequired),
        }
    }

    pub(super) async fn lookup(
        &self,
        request_id: &RequestId,
        item: Option<&ItemId>,
        buyer: &BuyerId,
        announce_us: Option<u64>,
    ) -> Result<Lookup, StoreError> {
        let item = match self.item(item).await {
            Ok(item) => item,
            Err(error @ (StoreError::UnknownItem | StoreError::ItemRequired)) => {
                let known = self.known(request_id).await?;
                return Ok(Lookup { known, sale: Err(error), at_limit: false, announced: None });
            }
            Err(error) => return Err(error),
        };
        let mut lookup = SCRIPTS.lookup.key(Keys::of(&item).prefix);
        lookup.arg(request_id.to_string()).arg(buyer.as_str());
        // A request id of another item must not be announced again. And a store that does not
        // answer gets a read only, which certainly has no effect if it fails.
        let announces = self.link.answers() && !self.link.other_items_exist(&item);
        let access = match announce_us.filter(|_| announces) {
            Some(now_us) => {
                lookup.arg(item.as_str()).arg(now_us);
                Access::Write
            }
            None => Access::Read,
        };
        let (state, record, at_limit, sale, announced): (String, String, bool, _, String) =
            self.link.run(&lookup, access).await?;
        let sale: Vec<String> = sale;
        let known = match known(&state, &record)? {
            None if self.link.other_items_exist(&item) => self.known(request_id).await?,
            known => known,
        };
        let sale = if sale.is_empty() { Err(StoreError::UnknownItem) } else { Ok(view(&sale)?) };
        let announced = match announced.is_empty() {
            true => None,
            false => Some(Arc::new(attempt(&announced)?)),
        };
        Ok(Lookup { known, sale, at_limit, announced })
    }

    pub(super) async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        for item in self.link.items().await? {
            let mut find = SCRIPTS.find.key(Keys::of(&item).prefix);
            find.arg(request_id.to_string());
            let (state, record): (String, String) = self.link.run(&find, Access::Read).await?;
            if let Some(known) = known(&state, &record)? {
                return Ok(Some(known));
            }
        }
        Ok(None)
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
        let (sale, rows) = ledger::read(&self.link, epoch).await?;
        Ok(Ledger { sale, rows: Rows::Redis(rows) })
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.link.ask(&redis::cmd("PING")).await
    }
}
