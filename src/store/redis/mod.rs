//! A store in a Redis server, shared by any number of processes.
//!
//! Each decision is one Lua script, which Redis runs alone: dedupe, limit, decrement, order and
//! result happen at once or not at all.

mod check_then_act;
mod keys;
mod ledger;
mod link;
mod no_dedupe;
mod persistence;
mod poll;
mod records;
mod reserve;
mod scripts;

use std::sync::Arc;

use crate::flaws::Flaws;
use crate::ids::{BuyerId, ItemId, RequestId};
use crate::sale::{Attempt, NewAttempt, Terms};
use crate::secret::EngineUrl;

use super::waiters::Waiters;
use super::{Announced, Known, Look, Reservation, SaleView, StoreError};
use keys::Keys;
use link::{Link, Tried};
use poll::Poll;
use records::{attempt, known, view};
use reserve::Reserve;
use scripts::SCRIPTS;

pub use link::OpenError;

/// Which server, and what is wrong with the use of it.
#[derive(Debug, Clone)]
pub struct Options {
    /// `redis://user:password@host:port/db`.
    pub url: EngineUrl,
    /// What is wrong.
    pub flaws: Flaws,
}

/// See the module.
#[derive(Debug)]
pub struct Redis {
    link: Link,
    reserve: Reserve,
    waiters: Arc<Waiters>,
    _poll: Poll,
}

impl Redis {
    /// Connects; after this it connects again by itself whenever that is needed. Warns when the
    /// server could lose sales.
    ///
    /// # Errors
    /// When the server cannot be reached now.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let link = Link::open(&options.url).await?;
        persistence::warn(&link).await;
        // Fills the list, too.
        let _ = link.items().await;
        let waiters = Arc::new(Waiters::default());
        let poll = Poll::start(&link, &waiters);
        Ok(Self { link, reserve: Reserve::of(&options.flaws), waiters, _poll: poll })
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
        let opened: Vec<String> = self.link.run(&open, Tried::Write).await?;
        self.reserve.opened(&self.link, &terms).await?;
        view(&opened)
    }

    pub(super) async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        let item = self.item(item).await?;
        let sale: Vec<String> =
            self.link.run(&SCRIPTS.sale.key(Keys::of(&item).prefix), Tried::Read).await?;
        if sale.is_empty() { Err(StoreError::UnknownItem) } else { view(&sale) }
    }

    /// The item named, or the only one there is.
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

    pub(super) async fn look(
        &self,
        request_id: &RequestId,
        item: Option<&ItemId>,
        buyer: &BuyerId,
        announce_us: Option<u64>,
    ) -> Result<Look, StoreError> {
        let item = match self.item(item).await {
            Ok(item) => item,
            Err(error @ (StoreError::UnknownItem | StoreError::ItemRequired)) => {
                let known = self.known(request_id).await?;
                return Ok(Look { known, sale: Err(error), at_limit: false, announced: None });
            }
            Err(error) => return Err(error),
        };
        let mut look = SCRIPTS.look.key(Keys::of(&item).prefix);
        look.arg(request_id.to_string()).arg(buyer.as_str());
        // Another item's id must not be announced again; and of a store that does not answer it is
        // better only asked: what fails then certainly has no effect.
        let announces = self.link.answers() && !self.link.is_sold_besides(&item);
        let tried = match announce_us.filter(|_| announces) {
            Some(now_us) => {
                look.arg(item.as_str()).arg(now_us);
                Tried::Write
            }
            None => Tried::Read,
        };
        let (state, record, at_limit, sale, announced): (String, String, bool, _, String) =
            self.link.run(&look, tried).await?;
        let sale: Vec<String> = sale;
        let known = match known(&state, &record)? {
            None if self.link.is_sold_besides(&item) => self.known(request_id).await?,
            known => known,
        };
        let sale = if sale.is_empty() { Err(StoreError::UnknownItem) } else { Ok(view(&sale)?) };
        let announced = match announced.is_empty() {
            true => None,
            false => Some(Arc::new(attempt(&announced)?)),
        };
        Ok(Look { known, sale, at_limit, announced })
    }

    pub(super) async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        for item in self.link.items().await? {
            let mut find = SCRIPTS.find.key(Keys::of(&item).prefix);
            find.arg(request_id.to_string());
            let (state, record): (String, String) = self.link.run(&find, Tried::Read).await?;
            if let Some(known) = known(&state, &record)? {
                return Ok(Some(known));
            }
        }
        Ok(None)
    }

    pub(super) async fn announce(&self, new: &NewAttempt) -> Result<Announced, StoreError> {
        let NewAttempt { request_id, buyer, item, epoch, accepted_us } = new;
        let mut announce = SCRIPTS.announce.key(Keys::of(item).prefix);
        announce.arg(request_id.to_string());
        announce.arg(format!("{request_id} {buyer} {item} {epoch}")).arg(*accepted_us);
        let (state, record): (String, String) = self.link.run(&announce, Tried::Write).await?;
        match known(&state, &record)? {
            Some(known) => Ok(Announced::Known(known)),
            None => Ok(Announced::Fresh(Arc::new(attempt(&record)?))),
        }
    }

    pub(super) async fn confirm(&self, attempts: &[Arc<Attempt>]) -> Result<(), StoreError> {
        let mut confirm = redis::pipe();
        for of_item in attempts.chunk_by(|a, b| a.item == b.item) {
            let ids = of_item.iter().map(|attempt| attempt.request_id.to_string());
            let key = Keys::of(&of_item[0].item).unconfirmed();
            confirm.cmd("SREM").arg(key).arg(ids.collect::<Vec<_>>()).ignore();
        }
        self.link.send(&confirm, Tried::Write).await
    }

    pub(super) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let mut withdraw = SCRIPTS.withdraw.key(Keys::of(&attempt.item).prefix);
        withdraw.arg(attempt.request_id.to_string());
        let withdrawn = self.link.run(&withdraw, Tried::Write).await?;
        if withdrawn {
            self.waiters.send_to_look(&attempt.request_id);
        }
        Ok(withdrawn)
    }

    pub(super) async fn waiting(&self, epoch: u64) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let Some(item) = self.link.item_of(epoch).await? else { return Ok(Vec::new()) };
        let mut attempts = self.waiting_of(&item).await?;
        attempts.retain(|attempt| attempt.epoch == epoch);
        attempts.sort_by_key(|attempt| attempt.seq);
        Ok(attempts)
    }

    pub(super) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut attempts = Vec::new();
        for item in self.link.items().await? {
            let mut unconfirmed = SCRIPTS.unconfirmed.key(Keys::of(&item).prefix);
            unconfirmed.arg(before_us);
            let records: Vec<String> = self.link.run(&unconfirmed, Tried::Read).await?;
            for record in &records {
                attempts.push(Arc::new(attempt(record)?));
            }
        }
        Ok(attempts)
    }

    async fn waiting_of(&self, item: &ItemId) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut values = redis::cmd("HVALS");
        values.arg(Keys::of(item).waiting());
        let records: Vec<String> = self.link.ask(&values).await?;
        records.iter().map(|record| Ok(Arc::new(attempt(record)?))).collect()
    }

    pub(super) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        let mut len = redis::cmd("HLEN");
        len.arg(Keys::of(item).waiting());
        self.link.ask(&len).await
    }

    pub(super) async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let decided = self.reserve.decide(&self.link, attempts, now_us).await?;
        Ok(Reservation { decided, last_record: None })
    }

    pub(super) async fn give_up(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Reservation, StoreError> {
        let decided = reserve::give_up(&self.link, attempts, now_us).await?;
        Ok(Reservation { decided, last_record: None })
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    pub(super) async fn ledger(&self, epoch: u64) -> Result<super::Ledger, StoreError> {
        ledger::read(&self.link, epoch).await
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.link.ask(&redis::cmd("PING")).await
    }
}
