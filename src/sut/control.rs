//! [`Control`]: everything that is asked of the tested system beside the load.

use std::time::{Duration, Instant};

use crate::history::{History, Ledger, SaleView, View, Views};
use crate::ids::ItemId;
use crate::secret::Secret;
use crate::stats::SaleNow;

use super::{ControlError, builtin, described};

/// A client for all requests that do not belong to the load, and what else the audit reads.
#[derive(Debug)]
pub enum Control {
    /// Of the built-in API.
    Seckill(builtin::Control),
    /// Of a shop that a profile describes.
    Described(Box<described::Control>),
}

impl Control {
    /// The same for one item, and as an admin if there is a token.
    pub fn of_item(self, item: ItemId, admin_token: Option<Secret>) -> Self {
        match self {
            Self::Seckill(control) => Self::Seckill(control.of_item(item, admin_token)),
            Self::Described(control) => Self::Described(Box::new(control.of_item(item))),
        }
    }

    /// The state of the sale, asked for the first time: nothing may have answered there yet. That
    /// of a described shop is empty unless `reads_truth`.
    ///
    /// # Errors
    /// When the system does not return it; an error says whether there was a connection within
    /// `limit`.
    pub async fn first_sale(
        &self,
        limit: Duration,
        reads_truth: bool,
    ) -> Result<View, ControlError> {
        match self {
            Self::Seckill(control) => control.first_sale(limit).await,
            Self::Described(control) => control.first_sale(limit, reads_truth).await,
        }
    }

    /// The state of the sale.
    ///
    /// # Errors
    /// When the system does not return it.
    pub async fn sale(&self) -> Result<View, ControlError> {
        match self {
            Self::Seckill(control) => control.sale().await,
            Self::Described(control) => control.sale().await,
        }
    }

    /// Opens a fresh sale. Returns its first state, as the answer shows it.
    ///
    /// # Errors
    /// When the system does not say that it is open.
    pub async fn open_sale(&self, item: &ItemId, stock: u32) -> Result<View, ControlError> {
        match self {
            Self::Seckill(control) => control.open_sale(item, stock).await,
            Self::Described(_) => Err(ControlError::CannotOpen),
        }
    }

    /// Restores the stock of a described shop, as its description says.
    ///
    /// # Errors
    /// When a step of it fails.
    pub async fn reset(&self) -> Result<(), ControlError> {
        match self {
            Self::Seckill(_) => Err(ControlError::CannotReset),
            Self::Described(control) => control.reset().await,
        }
    }

    /// The state of a sale that was found before, for the audit: it is kept in `views`, and so is
    /// an answer that cannot be one.
    ///
    /// # Errors
    /// When the system does not return the state, or has none that the audit can use.
    pub async fn sale_again(&self, views: &mut Views) -> Result<View, ControlError> {
        match self {
            Self::Seckill(control) => control.sale_again(views).await,
            Self::Described(control) => control.sale().await,
        }
    }

    /// What is shown of the sale during the load, and whether that is evidence: it is kept in
    /// `views` then.
    pub async fn now(&self, views: &mut Views) -> Option<SaleNow> {
        match self {
            Self::Seckill(control) => {
                let view = control.sale_again(views).await.ok()?;
                let now = self.shown(&view);
                views.add(view);
                Some(now)
            }
            Self::Described(control) => {
                let (stock_left, queued) = control.now().await?;
                Some(SaleNow { stock_left, queued })
            }
        }
    }

    /// The part of a state that is shown.
    pub fn shown(&self, view: &View) -> SaleNow {
        let SaleView { stock_left, queued, .. } = view.sale;
        match self {
            Self::Seckill(_) => SaleNow { stock_left: Some(stock_left), queued: Some(queued) },
            Self::Described(control) => {
                let (has_stock, has_queued) = control.tells();
                SaleNow {
                    stock_left: has_stock.then_some(stock_left),
                    queued: has_queued.then_some(queued),
                }
            }
        }
    }

    /// Whether the states of the sale are evidence: those of a described shop are not, since they
    /// are put together from several readings.
    pub fn shows_states(&self) -> bool {
        matches!(self, Self::Seckill(_))
    }

    /// Whether the system says that all of its parts work.
    pub async fn is_ready(&self) -> bool {
        match self {
            Self::Seckill(control) => control.is_ready().await,
            Self::Described(_) => false,
        }
    }

    /// Waits until a described shop changes no more, and has nothing queued. Returns the state that
    /// shows that, if what is queued is told.
    ///
    /// # Errors
    /// What was still changing, or queued, at the deadline.
    pub async fn settle(&self, deadline: Instant) -> Result<Option<View>, String> {
        match self {
            Self::Seckill(_) => Ok(None),
            Self::Described(control) => control.settle(deadline).await,
        }
    }

    /// The whole ledger of the sale: that of an epoch, if the system numbers its sales. `history`
    /// says who made the attempts that the shop's orders are of; `copy` receives the ledger's
    /// bytes.
    ///
    /// # Errors
    /// When not all of it can be read.
    pub async fn ledger(
        &self,
        epoch: Option<u64>,
        history: &History,
        copy: impl FnMut(&[u8]),
    ) -> Result<Ledger, ControlError> {
        match self {
            Self::Seckill(control) => control.ledger(epoch, copy).await,
            Self::Described(control) => control.ledger(history, copy).await,
        }
    }
}
