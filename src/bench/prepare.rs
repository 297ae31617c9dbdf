//! Before the load: finds the tested system, and reads the state of its sale.

use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::history::{Beginning, View};
use crate::ids::ItemId;
use crate::load::Connector;
use crate::monitor::listener_pid;
use crate::profile::{FlagError, Trigger};
use crate::sut::{Control, ControlError, Sut, Target, local_token};

use super::config::Config;
use super::error::BenchError;
use super::spawned::Spawned;

/// The tested system, as it was found.
pub(super) struct Site {
    pub(super) target: Target,
    pub(super) control: Control,
    pub(super) item: ItemId,
    /// When the times of the history begin.
    pub(super) beginning: Beginning,
    /// What was seen of the sale that was opened for the run, before that state.
    pub(super) earlier_views: Vec<View>,
    /// The state of the sale right before the load.
    pub(super) view_before: View,
    /// The process that listens on the target, if it is on this machine and visible.
    pub(super) server_pid: Option<i32>,
}

impl Site {
    /// The number of the sale, from which the ids of the run follow. A server that does not number
    /// its sales may know the ids of an earlier one, so a fresh sale gets the time instead.
    pub(super) fn sale_number(&self) -> u64 {
        let is_fresh = !self.earlier_views.is_empty();
        match self.view_before.sale.epoch {
            0 if is_fresh => self.beginning.unix_us(),
            epoch => epoch,
        }
    }

    /// Finds the tested system and its sale.
    pub(super) async fn find(
        config: &Config,
        spawned: Option<&Spawned>,
    ) -> Result<Self, BenchError> {
        let (url, token) = match spawned {
            Some(server) => (Some(server.url.as_str()), Some(server.admin_token.clone())),
            None => (config.target.as_deref(), config.admin_token.clone()),
        };
        let limit = config.plan.connect_timeout;
        if let (Sut::Described(_), None) = (&config.sut, url) {
            let problem = "name the address of the shop, such as http://127.0.0.1:8080";
            return Err(BenchError::Flag(FlagError::new("target", problem)));
        }
        let target = Target::new(url).map_err(BenchError::Flag)?;
        let target = Target { trust: config.trust.clone(), ..with_listener(target, limit).await };
        let connector = Connector::new(&target).with_context(|| target.url.clone())?;
        let certificate = connector.check_certificate(limit).await;
        certificate.map_err(|why| anyhow!("{}: {why}", target.url))?;
        let beginning = Beginning::now();
        let control = config.sut.control(&target, config.plan.item.clone(), beginning)?;
        if config.plan.reset {
            // A shop that does not run is named as such, and nothing of it is changed.
            control.first_sale(limit, false).await?;
            check_orders(config)?;
            control.reset().await.map_err(|error| match error {
                ControlError::Truth { .. } => BenchError::of_description(&error, &config.sut),
                error => error.into(),
            })?;
        }
        let found = match control.first_sale(limit, !config.plan.no_audit).await {
            // --stock opens the first sale of an item, too.
            Err(ControlError::UnknownItem { .. }) if config.plan.stock.is_some() => None,
            Err(error @ ControlError::Truth { .. }) => {
                return Err(BenchError::unaudited(&error, &config.sut));
            }
            found => Some(found?),
        };
        check_orders(config)?;
        let item: ItemId = match (&found, &config.plan.item) {
            (None, Some(item)) => item.clone(),
            (found, _) => {
                let name = found.as_ref().map_or("", |view| &*view.sale.item);
                // Where an item has no name, it needs one all the same.
                let is_unnamed = name.is_empty() && matches!(config.sut, Sut::Described(_));
                let name = if is_unnamed { "item" } else { name };
                name.parse().context("the server's item has an invalid name")?
            }
        };
        // The token is read only now: a server that has answered has written it, while one behind a
        // proxy may still have been starting before.
        let token = token.or_else(|| local_token(&target, &config.data));
        let control = control.of_item(item.clone(), token);
        let (earlier_views, view_before) = match (config.plan.stock, found) {
            (None, Some(found)) => (Vec::new(), found),
            (stock, found) => {
                let stock = stock.and_then(|stock| u32::try_from(stock).ok()).unwrap_or_default();
                let opened = control.open_sale(&item, stock).await;
                let opened = opened.map_err(|error| match error.is_of_token() {
                    true => BenchError::of_token(&error, config),
                    false => error.into(),
                })?;
                // A fresh sale has a higher epoch: otherwise, the state before shows that it is
                // none.
                let epoch = opened.sale.epoch;
                let old = found.filter(|found| epoch > 0 && found.sale.epoch >= epoch);
                (old.into_iter().chain([opened]).collect(), control.sale().await?)
            }
        };
        check_sale(config, &control, &view_before).map_err(BenchError::Flag)?;
        let server_pid = match spawned {
            Some(server) => server.pid(),
            None if target.address.ip().is_loopback() => listener_pid(target.address),
            None => None,
        };
        Ok(Self { target, control, item, beginning, earlier_views, view_before, server_pid })
    }
}

/// An error if the run is to be audited, and the description does not say where the orders are.
fn check_orders(config: &Config) -> Result<(), BenchError> {
    match &config.sut {
        Sut::Described(shop) if !shop.has_orders() && !config.plan.no_audit => {
            Err(BenchError::unaudited(&ControlError::NoOrders, &config.sut))
        }
        _ => Ok(()),
    }
}

/// An error if the sale cannot have what the plan asks for.
fn check_sale(config: &Config, control: &Control, view: &View) -> Result<(), FlagError> {
    if config.plan.pay.is_some() && view.sale.hold_us.is_none() {
        let problem = "the sale does not hold its orders, so nobody can pay for one: open it \
                       with `seckill serve --hold 15m`, or leave out --pay";
        return Err(FlagError::new("pay", problem));
    }
    let mut faults = config.plan.faults.iter();
    match faults.find(|fault| matches!(fault.at, Trigger::StockBelow(_))) {
        Some(fault) if control.shown(view).stock_left.is_none() => {
            let problem = format!(
                "`{fault}` waits for the stock, which the shop's description does not say how to \
                 read: add it under [truth], or give a time, such as at=5s"
            );
            Err(FlagError::new("fault", problem))
        }
        _ => Ok(()),
    }
}

/// Selects the first address of the target on which a server listens.
async fn with_listener(target: Target, limit: Duration) -> Target {
    let several = if target.addresses.len() > 1 { &*target.addresses } else { &[] };
    for address in several {
        if let Ok(Ok(_)) = timeout(limit, TcpStream::connect(address)).await {
            return Target { address: *address, ..target };
        }
    }
    target
}
