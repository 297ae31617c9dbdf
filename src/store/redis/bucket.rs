//! One bucket: all data of a store, or a part of it that has keys of its own.

use std::sync::Arc;

use crate::flaws::Flaws;
use crate::ids::{ItemId, RequestId};
use crate::sale::{Attempt, Terms};

use super::super::orders::EndedOrders;
use super::super::{Decided, Known, Lookup, SaleView, StoreError};
use super::ends::EndOrders;
use super::flaws;
use super::ledger::{self, LedgerRows};
use super::link::{Access, Link};
use super::lookups::{Lookups, Question};
use super::records::{current, known, named, view};
use super::reserve::{Reserve, lose_undeliverable};
use super::scripts::SCRIPTS;

/// A bucket, and how it is used.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) link: Link,
    lookups: Lookups,
    reserve: Reserve,
    pub(super) end_orders: EndOrders,
}

impl Bucket {
    pub(super) fn new(link: Link, chosen: &Flaws) -> Self {
        let lookups = Lookups::start(link.clone());
        let (reserve, end_orders) = (flaws::reserve(chosen), flaws::end_orders(chosen));
        Self { link, lookups, reserve, end_orders }
    }

    /// Opens a sale: a `fresh` one, or one `unless-open` already.
    pub(super) async fn open_sale(&self, terms: Terms, how: &str) -> Result<SaleView, StoreError> {
        let mut open = SCRIPTS.open.arg(self.link.keys(), how);
        open.arg(terms.to_string());
        let opened: Vec<String> = self.link.run(&open, Access::Write).await?;
        self.reserve.opened(&self.link, &terms).await?;
        view(&opened)
    }

    pub(super) async fn sale(&self, item: Option<&ItemId>) -> Result<SaleView, StoreError> {
        let sale = SCRIPTS.sale.arg(self.link.keys(), named(item));
        let (problem, sale): (String, Vec<String>) = self.link.run(&sale, Access::Read).await?;
        current(&problem, &sale)
    }

    pub(super) async fn lookup(&self, question: Question) -> Result<Lookup, StoreError> {
        self.lookups.ask(question).await
    }

    pub(super) async fn known(&self, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
        let find = SCRIPTS.find.arg(self.link.keys(), request_id.to_string());
        let (state, record): (String, String) = self.link.run(&find, Access::Read).await?;
        known(&state, &record)
    }

    pub(super) async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Vec<Arc<Decided>>, StoreError> {
        self.reserve.decide(&self.link, attempts, now_us).await
    }

    pub(super) async fn lose_undeliverable(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Vec<Arc<Decided>>, StoreError> {
        lose_undeliverable(&self.link, attempts, now_us).await
    }

    pub(super) async fn ledger(
        &self,
        epoch: u64,
    ) -> Result<(SaleView, LedgerRows, EndedOrders), StoreError> {
        ledger::read(&self.link, epoch).await
    }

    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.link.ask(&redis::cmd("PING")).await
    }
}
