//! `GET /result` and `GET /result/{request_id}`.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Response, StatusCode};

use crate::api::SaleStatus;
use crate::ids::{ItemId, RequestId};
use crate::sale::Phase;
use crate::store::{Known, SaleView, StoreError};
use crate::units::Span;

use super::answer::{self, json, rejected};
use super::app::App;
use super::intake;
use super::orders;
use super::query::query_value;

/// Upper bound of `?wait`.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Answers with the state of the sale.
pub(super) async fn sale(app: &App, query: Option<&str>) -> Response<Bytes> {
    let item = match current_sale(app, query).await {
        Ok(sale) => sale.terms.item,
        Err(response) => return response,
    };
    // Counted before the orders are: of an attempt that is decided between the two, the state would
    // otherwise show neither.
    let queued = match intake::waiting_count(app, &item).await {
        Ok(queued) => queued as u64,
        Err(error) => return answer::store_error(&error),
    };
    let sale = match app.store.sale(Some(&item)).await {
        Ok(sale) => sale,
        Err(error) => return answer::store_error(&error),
    };
    let status = match sale.phase(app.clock.now_us()) {
        Phase::NotOpen => "not_open",
        Phase::Closed => "closed",
        Phase::Open if sale.left <= 0 => "sold_out",
        Phase::Open => "open",
    };
    let status = SaleStatus {
        status: status.into(),
        item: sale.terms.item.to_string(),
        epoch: sale.epoch,
        stock: sale.terms.stock.into(),
        stock_left: sale.left,
        orders: sale.orders,
        queued,
        finished: sale.left <= 0 && queued == 0,
        per_buyer: Some(sale.terms.per_buyer),
        opens_us: sale.terms.opens_us,
        closes_us: sale.terms.closes_us,
        hold_us: sale.terms.hold_us,
        held: sale.terms.hold_us.map(|_| sale.orders.saturating_sub(sale.paid)),
        paid: sale.terms.hold_us.map(|_| sale.paid),
    };
    json(StatusCode::OK, &status)
}

/// Answers with the result of one attempt. With `wait`, the request is held until the attempt is
/// decided or the wait expires.
pub(super) async fn attempt(app: &App, id: &str, query: Option<&str>) -> Response<Bytes> {
    let request_id: RequestId = match id.parse() {
        Ok(request_id) => request_id,
        Err(error) => return answer::bad_request_id(error),
    };
    let wait = match query_value(query, "wait").map(|wait| wait.parse::<Span>()).transpose() {
        Ok(wait) => wait.map_or(Duration::ZERO, |wait| wait.0.min(WAIT_MAX)),
        Err(error) => {
            return rejected(StatusCode::BAD_REQUEST, "bad_wait", error.to_string());
        }
    };
    match wait_for(app, &request_id, wait).await {
        Ok(Some(Known::Decided(decided))) => orders::decided(app, &decided).await,
        // An attempt is reported as queued only when no crash can undo it.
        Ok(Some(known)) => match intake::durable(app, &request_id).await {
            Ok(()) => answer::waiting(request_id, intake::place(app, known.attempt()).await),
            Err(_) => answer::unknown(Some(request_id)),
        },
        Ok(None) => rejected(StatusCode::NOT_FOUND, "unknown_request", "no attempt has this id"),
        Err(error) => answer::store_error(&error),
    }
}

/// The sale of the item that a query names, or the only one on sale.
pub(super) async fn current_sale(
    app: &App,
    query: Option<&str>,
) -> Result<SaleView, Response<Bytes>> {
    let item = query_value(query, "item").map(|item| item.parse::<ItemId>()).transpose();
    let item = item
        .map_err(|error| rejected(StatusCode::BAD_REQUEST, "bad_item", format!("item {error}")))?;
    app.store.sale(item.as_ref()).await.map_err(|error| answer::store_error(&error))
}

/// Returns the attempt's state once it is decided, the wait expires, or the server drains.
async fn wait_for(
    app: &App,
    request_id: &RequestId,
    wait: Duration,
) -> Result<Option<Known>, StoreError> {
    if !wait.is_zero() {
        tokio::select! {
            settled = settled(app, request_id) => return settled,
            () = tokio::time::sleep(wait) => {}
            () = app.draining.begun() => {}
        }
    }
    intake::known(app, request_id).await
}

/// Resolves when the attempt is decided or unknown.
async fn settled(app: &App, request_id: &RequestId) -> Result<Option<Known>, StoreError> {
    loop {
        // Started before the lookup, so that no decision is missed between the two.
        let waiter = app.store.wait(*request_id);
        match intake::known(app, request_id).await? {
            Some(Known::Waiting(_) | Known::Announced(_)) => {}
            settled => return Ok(settled),
        }
        if let Some(decided) = waiter.decided().await {
            return Ok(Some(Known::Decided(decided)));
        }
    }
}
