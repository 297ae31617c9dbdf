//! [`try_out`]: one attempt at a described shop, with its orders and its stock before and after it.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::history::{History, Ids, Ledger, Row};
use crate::load::{Rehearsal, Rehearsed, rehearse};
use crate::sut::Sut;

use super::config::Config;
use super::error::BenchError;
use super::prepare::Site;

/// How long the orders and the stock may change after the attempt.
const SETTLE_TIME: Duration = Duration::from_secs(15);

/// What one attempt has shown.
#[derive(Debug)]
pub struct Trial {
    /// The URL of the shop.
    pub url: String,
    /// The ledger before the attempt, or why it cannot be read.
    pub before: Result<Ledger, String>,
    /// The requests of the attempt.
    pub requests: Vec<Rehearsed>,
    /// The ledger after the attempt, or why it cannot be read.
    pub after: Result<Ledger, String>,
    /// What was still changing after it, if something was.
    pub unsettled: Option<String>,
    /// The rows that are new.
    pub new: Vec<Row>,
    /// The attempt and its answer.
    pub history: History,
}

/// Makes one attempt, and reads the orders and the stock before and after it.
///
/// # Errors
/// When the shop cannot be reached, its stock cannot be restored if that was asked for, or the
/// description is wrong.
pub async fn try_out(config: &Config) -> Result<Trial, BenchError> {
    let site = Site::find(config, None).await?;
    let ids = Ids::new(config.plan.seed, config.plan.buyers);
    let empty = History::new(ids, site.item.clone(), 0, site.beginning.unix_us());
    let before = site.control.ledger(None, &empty, |_| ()).await;
    let before = before.map_err(|error| error.to_string());
    let (plan, sut, beginning) = (config.plan.clone(), config.sut.clone(), site.beginning);
    let (target, item) = (site.target.clone(), site.item.clone());
    let has_result = matches!(&sut, Sut::Described(shop) if shop.has_result());
    let attempt = tokio::task::spawn_blocking(move || {
        let (plan, sut, target, item) = (&plan, &sut, &target, &item);
        rehearse(&Rehearsal { plan, sut, target, item, beginning, has_result })
    });
    let (requests, mut history) =
        attempt.await.context("the attempt ended in a panic")?.context("no attempt was made")?;
    let unsettled = match &before {
        Ok(_) => site.control.settle(Instant::now() + SETTLE_TIME).await.err(),
        // What could not be read before does not settle either.
        Err(_) => None,
    };
    before.iter().for_each(|ledger| history.begin_with(ledger.clone()));
    let after = site.control.ledger(None, &history, |_| ()).await;
    let after = after.map_err(|error| error.to_string());
    let rows = after.iter().flat_map(|ledger| &ledger.rows);
    let new = rows.filter(|row| !history.before.contains_key(&row.request_id)).cloned().collect();
    Ok(Trial { url: site.target.url.clone(), before, requests, after, unsettled, new, history })
}
