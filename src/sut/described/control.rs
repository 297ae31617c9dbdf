//! [`Control`]: what the audit reads of a described shop, and how its stock is restored.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use crate::history::{
    Beginning, Found, FoundStatus, History, Hours, Ledger, SaleTerms, SaleView, Tells, View,
    attribute,
};
use crate::ids::ItemId;
use crate::sut::builtin::write_ledger;
use crate::sut::{ControlError, Target};
use crate::units::Span;

use super::description::Description;
use super::truth::{Around, Truth, TruthError};

/// Pause between two readings that must show the same.
const STABLE: Duration = Duration::from_secs(1);

/// Time-out for reading orders and stock once, retries included.
const READ_TIME: Duration = Duration::from_secs(60);

/// Time-out for reading the stock during the load.
const NOW_TIME: Duration = Duration::from_secs(5);

/// Reads orders and stock where the description says they are.
#[derive(Debug)]
pub struct Control {
    description: Arc<Description>,
    target: Target,
    item: Option<ItemId>,
    beginning: Beginning,
    /// Units at the opening of the sale, once the first reading has shown them.
    stock: OnceLock<u64>,
}

impl Control {
    pub(in crate::sut) fn new(
        description: &Arc<Description>,
        target: &Target,
        item: Option<ItemId>,
        beginning: Beginning,
    ) -> Self {
        let (description, target) = (Arc::clone(description), target.clone());
        Self { description, target, item, beginning, stock: OnceLock::new() }
    }

    pub(in crate::sut) fn of_item(self, item: ItemId) -> Self {
        Self { item: Some(item), ..self }
    }

    pub(in crate::sut) async fn first_sale(
        &self,
        limit: Duration,
        reads_truth: bool,
    ) -> Result<View, ControlError> {
        let url = || self.target.url.clone();
        match timeout(limit, TcpStream::connect(self.target.address)).await {
            Ok(Ok(_)) if reads_truth => {
                let view = self.sale().await?;
                let SaleView { stock, stock_left, orders, .. } = view.sale;
                let is_sum = i128::from(stock) == i128::from(stock_left) + i128::from(orders);
                // Otherwise the stock was derived from the two, and what is wrong is for the audit.
                match is_sum || self.description.stock().is_none() {
                    true => Ok(view),
                    false => Err(ControlError::StockDiffers { stock, stock_left, orders }),
                }
            }
            Ok(Ok(_)) => {
                let sale = SaleView { item: self.item_name().into(), ..SaleView::default() };
                Ok(View { sent_us: 0, answered_us: 0, sale })
            }
            Ok(Err(_)) => Err(ControlError::NoShop(url())),
            Err(_) => Err(ControlError::NoConnection(url(), Span(limit))),
        }
    }

    /// The state of the sale, put together from the readings of its sources.
    pub(in crate::sut) async fn sale(&self) -> Result<View, ControlError> {
        Ok(self.reading(Instant::now() + READ_TIME).await?.view)
    }

    /// Reads all sources. What is queued comes first: what is decided then is in the others.
    async fn reading(&self, deadline: Instant) -> Result<Reading, ControlError> {
        let sent_us = self.beginning.us(Instant::now());
        let told = self.queued(deadline).await?;
        let left = self.stock_left(deadline).await?;
        let found = match self.description.truth() {
            Some(_) => self.orders(deadline).await?,
            None => Vec::new(),
        };
        // Records may be queued as well, and are all that are if the source has every attempt.
        let is_queued = |found: &&Found| found.status == FoundStatus::Queued;
        let listed = found.iter().filter(is_queued).count() as u64;
        let has_all = self.description.truth().is_some_and(|truth| truth.tells(&found).attempts);
        let queued = told.max((listed > 0 || has_all).then_some(listed));
        let orders = won(&found);
        let stock = self.opening_stock(left, orders);
        let sale = SaleView {
            item: self.item_name().into(),
            stock,
            stock_left: left.unwrap_or(signed(stock).saturating_sub(signed(orders))),
            orders,
            queued: queued.unwrap_or_default(),
            ..SaleView::default()
        };
        let view = View { sent_us, answered_us: self.beginning.us(Instant::now()), sale };
        // Records may come in any order.
        let records = found.iter().map(digest).fold(0, u64::wrapping_add);
        Ok(Reading { view, queued, digest: digest(&(left, records)) })
    }

    /// The units left and the attempts without a decision, as far as they can be read during the
    /// load.
    pub(in crate::sut) async fn now(&self) -> Option<(Option<i64>, Option<u64>)> {
        let truth = self.description.truth()?;
        truth.now(&self.around(Instant::now() + NOW_TIME)).await.ok()
    }

    /// Whether the units left are told, and the attempts without a decision.
    pub(in crate::sut) fn tells(&self) -> (bool, bool) {
        self.description.truth().map_or((false, false), Truth::tells_numbers)
    }

    /// Units at the opening: those that the description states, or those that the first reading
    /// shows as left and sold.
    fn opening_stock(&self, left: Option<i64>, orders: u64) -> u64 {
        *self.stock.get_or_init(|| match self.description.stock() {
            Some(stock) => stock.into(),
            None => u64::try_from(left.unwrap_or(0)).unwrap_or(0) + orders,
        })
    }

    pub(in crate::sut) async fn reset(&self) -> Result<(), ControlError> {
        let around = self.around(Instant::now() + READ_TIME);
        for reset in self.description.resets() {
            reset.run(&around).await.map_err(of_truth)?;
        }
        match self.stock_left(Instant::now() + READ_TIME).await? {
            Some(left) if left <= 0 => Err(ControlError::NothingReset(left)),
            None if self.description.stock().is_some() && self.description.truth().is_some() => {
                // Orders that are still there count as sold of the stated stock.
                match won(&self.orders(Instant::now() + READ_TIME).await?) {
                    0 => Ok(()),
                    orders => Err(ControlError::OrdersLeft(orders)),
                }
            }
            _ => Ok(()),
        }
    }

    /// Waits until two readings in a row show the same, and nothing is queued. Returns the state
    /// that shows that, if what is queued is told.
    pub(in crate::sut) async fn settle(&self, deadline: Instant) -> Result<Option<View>, String> {
        let began = Instant::now();
        let mut before = None;
        loop {
            let problem = match self.reading(deadline).await {
                Ok(Reading { view, queued, digest }) => {
                    if before == Some(digest) && queued.unwrap_or(0) == 0 {
                        return Ok(queued.map(|_| view));
                    }
                    before = Some(digest);
                    match queued {
                        Some(queued @ 1..) => format!("{queued} attempts were still queued"),
                        _ => "the orders or the stock changed between two readings".to_owned(),
                    }
                }
                Err(ControlError::Truth { problem, may_pass: true }) => problem,
                Err(error) => return Err(format!("the orders could not be read: {error}")),
            };
            if Instant::now() + STABLE >= deadline {
                let after = Span(Duration::from_secs(began.elapsed().as_secs()));
                return Err(format!("{problem} {after} after the run"));
            }
            tokio::time::sleep(STABLE).await;
        }
    }

    pub(in crate::sut) async fn ledger(
        &self,
        history: &History,
        mut copy: impl FnMut(&[u8]),
    ) -> Result<Ledger, ControlError> {
        let deadline = Instant::now() + READ_TIME;
        let truth = self.description.truth().ok_or(ControlError::NoOrders)?;
        let mut found = self.orders(deadline).await?;
        let is_before = history.sent.iter().all(|sent| *sent == 0);
        if is_before && !truth.selects() {
            self.check_items(&found)?;
        }
        let has_name = |found: &Found| found.item.as_deref() == Some(self.item_name());
        if self.description.names_item() && !found.iter().any(has_name) {
            // The shop calls the item otherwise, so that its orders do not tell whether it is it.
            found.iter_mut().for_each(|found| found.item = None);
        }
        let left = self.stock_left(deadline).await?;
        let stock = self.opening_stock(left, won(&found));
        let per_buyer = self.description.per_buyer();
        let tells = Tells {
            stock: left.is_some(),
            limit: per_buyer.is_some(),
            once: self.description.has_one_effect(),
            ..truth.tells(&found)
        };
        if tells.items && !self.description.names_item() {
            return Err(ControlError::NoItem);
        }
        let terms = SaleTerms {
            item: history.item.to_string(),
            epoch: 0,
            stock,
            stock_left: left.unwrap_or_default(),
            per_buyer: per_buyer.unwrap_or(u32::MAX),
            hours: Hours::default(),
            hold_us: None,
        };
        let buyers = self.description.accounts().map(|accounts| accounts.buyers());
        let buyer = |text: &str| buyer(buyers.as_ref(), history, text);
        let ledger = attribute(found, terms, tells, history, &buyer);
        copy(&write_ledger(&ledger));
        Ok(ledger)
    }

    /// Checks that orders of before the run are not of another item, which would count as sold.
    fn check_items(&self, found: &[Found]) -> Result<(), ControlError> {
        let orders = found.iter().filter(|found| found.status == FoundStatus::Won);
        let mut items = orders.filter_map(|found| found.item.as_deref());
        match items.find(|item| *item != self.item_name()) {
            Some(other) if self.description.names_item() => Err(ControlError::OtherItem {
                other: other.to_owned(),
                item: self.item_name().to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn item_name(&self) -> &str {
        self.item.as_ref().map_or("", ItemId::as_str)
    }

    fn around(&self, deadline: Instant) -> Around<'_> {
        Around {
            target: &self.target,
            item: self.item_name(),
            seed: self.description.seed(),
            folder: self.description.folder(),
            deadline: deadline.into(),
        }
    }

    async fn orders(&self, deadline: Instant) -> Result<Vec<Found>, ControlError> {
        let truth = self.description.truth().ok_or(ControlError::NoOrders)?;
        truth.orders(&self.around(deadline)).await.map_err(of_truth)
    }

    async fn stock_left(&self, deadline: Instant) -> Result<Option<i64>, ControlError> {
        let Some(truth) = self.description.truth() else { return Ok(None) };
        truth.stock(&self.around(deadline)).await.map_err(of_truth)
    }

    async fn queued(&self, deadline: Instant) -> Result<Option<u64>, ControlError> {
        let Some(truth) = self.description.truth() else { return Ok(None) };
        truth.queued(&self.around(deadline)).await.map_err(of_truth)
    }
}

fn of_truth(error: TruthError) -> ControlError {
    ControlError::Truth { problem: error.to_string(), may_pass: error.may_pass }
}

/// One reading of all sources.
struct Reading {
    view: View,
    /// Attempts that are queued, if that is told.
    queued: Option<u64>,
    /// Of the orders and the stock.
    digest: u64,
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn won(found: &[Found]) -> u64 {
    found.iter().filter(|found| matches!(found.status, FoundStatus::Won)).count() as u64
}

/// The buyer of this run that a text of the shop's stands for.
fn buyer(accounts: Option<&HashMap<&str, u64>>, history: &History, text: &str) -> Option<Uuid> {
    match accounts {
        Some(accounts) => Some(history.ids.numbered_buyer(*accounts.get(text)?)),
        None => Uuid::parse_str(text).ok(),
    }
}
