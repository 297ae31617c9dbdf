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

/// Where the state of the sale is read.
pub(super) const SALE: &str = "/result";

/// What the path of an attempt's result begins with.
pub(super) const RESULTS: &str = "/result/";

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

/// A well-formed request for the result of one attempt, or for the state of the sale.
#[derive(Debug)]
pub(super) struct ResultRequest {
    /// The attempt's id; `None` asks for the state of the sale.
    request_id: Option<RequestId>,
    query: Option<Box<str>>,
}

impl ResultRequest {
    /// Reads the target of a request; `None` if it is another one, or has a character that few
    /// have.
    pub(super) fn read(target: &str) -> Option<Self> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"=&.-_".contains(&byte);
        if !query.is_none_or(|query| query.bytes().all(is_usual)) {
            return None;
        }
        let request_id = match path {
            SALE => None,
            path => Some(path.strip_prefix(RESULTS)?.parse().ok()?),
        };
        Some(Self { request_id, query: query.map(Box::from) })
    }

    /// Answers it.
    pub(super) async fn answer(self, app: &App) -> Response<Bytes> {
        match self.request_id {
            None => sale(app, self.query.as_deref()).await,
            Some(request_id) => of_attempt(app, request_id, self.query.as_deref()).await,
        }
    }
}

/// Answers with the result of the attempt with this id.
pub(super) async fn attempt(app: &App, id: &str, query: Option<&str>) -> Response<Bytes> {
    match id.parse() {
        Ok(request_id) => of_attempt(app, request_id, query).await,
        Err(error) => answer::bad_request_id(error),
    }
}

/// Answers with the result of one attempt. With `wait`, the request is held until the attempt is
/// decided or the wait expires.
async fn of_attempt(app: &App, request_id: RequestId, query: Option<&str>) -> Response<Bytes> {
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
