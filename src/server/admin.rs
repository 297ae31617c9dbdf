//! Admin: opening a sale, reading the ledger. The router has checked the token before.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Response, StatusCode};

use crate::api::{OpenSale, OpenedSale, Refusal};
use crate::sale::Terms;
use crate::units::{Moment, Span};

use super::answer::{self, json, rejected};
use super::app::App;
use super::ledger::{self, LedgerBody};
use super::query::query_value;
use super::result;

/// Answers `PUT /admin/sale`.
pub(super) async fn open_sale(app: &App, sale: OpenSale) -> Response<Bytes> {
    let terms = match terms(app, &sale) {
        Ok(terms) => terms,
        Err(message) => return rejected(StatusCode::BAD_REQUEST, "bad_sale", message),
    };
    if app.draining.has_begun() {
        return answer::refused(Refusal::Draining);
    }
    match app.store.open_sale(terms).await {
        Ok(view) => {
            tracing::info!(item = %view.terms.item, stock = view.terms.stock, "sale opened");
            let opened = OpenedSale {
                status: "opened".to_owned(),
                item: view.terms.item.to_string(),
                epoch: view.epoch,
                stock: view.terms.stock.into(),
                per_buyer: view.terms.per_buyer,
                hold_us: view.terms.hold_us,
            };
            json(StatusCode::OK, &opened)
        }
        Err(error) => answer::store_error(&error),
    }
}

fn terms(app: &App, sale: &OpenSale) -> Result<Terms, String> {
    let moment = |name: &str, text: &Option<String>| match text {
        Some(text) => {
            let moment = text.parse::<Moment>().map_err(|error| format!("{name}: {error}"))?;
            Ok::<_, String>(Some(moment.0))
        }
        None => Ok(None),
    };
    let terms = Terms {
        item: sale.item.parse().map_err(|error| format!("item {error}"))?,
        stock: sale.stock,
        per_buyer: sale.per_buyer.unwrap_or(app.per_buyer),
        opens_us: moment("opens_at", &sale.opens_at)?,
        closes_us: moment("closes_at", &sale.closes_at)?,
        hold_us: hold_us(app, sale)?,
    };
    terms.check()?;
    Ok(terms)
}

/// How long the sale holds its orders; a hold of no time is none.
fn hold_us(app: &App, sale: &OpenSale) -> Result<Option<u64>, String> {
    let Some(text) = &sale.hold else { return Ok(app.hold_us) };
    let Span(hold) = text.parse().map_err(|error| format!("hold: {error}"))?;
    // Longer ones are refused by the terms.
    let hold_us = u64::try_from(hold.as_micros()).unwrap_or(u64::MAX);
    match hold_us {
        0 if !hold.is_zero() => Err(format!("hold: {} is below 1us", Span(hold))),
        _ => Ok(Some(hold_us).filter(|us| *us > 0)),
    }
}

/// Reads the ledger that is asked for with `GET /admin/ledger`.
///
/// # Errors
/// The response that says why there is none.
pub(super) async fn ledger(app: &App, query: Option<&str>) -> Result<LedgerBody, Response<Bytes>> {
    let epoch = match query_value(query, "epoch").map(|epoch| epoch.parse()) {
        Some(Ok(epoch)) => epoch,
        Some(Err(_)) => {
            let message = "epoch is a whole number, as in the ledger's first line";
            return Err(rejected(StatusCode::BAD_REQUEST, "bad_epoch", message));
        }
        None => result::current_sale(app, query).await?.epoch,
    };
    let turn = app.ledger_readers.turn().await.ok_or_else(answer::ledger_busy)?;
    let (queue, store) = (Arc::clone(&app.queue), Arc::clone(&app.store));
    let made = ledger::make(turn, queue, store, epoch).await;
    made.map_err(|error| answer::store_error(&error))
}
