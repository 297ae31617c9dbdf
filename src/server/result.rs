//! `GET /result` and `GET /result/{request_id}`.

use std::sync::Arc;
use std::time::Duration;

use hyper::{Response, StatusCode};

use crate::api::SaleStatus;
use crate::sale::{ItemId, Phase, RequestId};
use crate::store::{Decided, SaleView};
use crate::units::Span;

use super::answer::{self, Body, json, rejected};
use super::route::query_value;
use super::{App, admission};

/// Longest time for which an answer is held back.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The sale as a whole.
pub(super) fn sale(app: &App, query: Option<&str>) -> Response<Body> {
    let sale = match present_sale(app, query) {
        Ok(sale) => sale,
        Err(response) => return response,
    };
    let queued = app.queue.depth_of(&sale.terms.item) as u64;
    let status = match sale.phase(app.clock.now_us()) {
        Phase::NotOpen => "not_open",
        Phase::Closed => "closed",
        Phase::Open if sale.left == 0 => "sold_out",
        Phase::Open => "open",
    };
    let status = SaleStatus {
        status: status.into(),
        item: sale.terms.item.to_string(),
        epoch: sale.epoch,
        stock: sale.terms.stock.into(),
        stock_left: sale.left.into(),
        orders: sale.orders.into(),
        queued,
        finished: sale.left == 0 && queued == 0,
    };
    json(StatusCode::OK, &status)
}

/// One attempt; with `wait`, held until it is decided or the time is up.
pub(super) async fn attempt(app: &App, id: &str, query: Option<&str>) -> Response<Body> {
    let bad = |reason, message: String| rejected(StatusCode::BAD_REQUEST, reason, message);
    let request_id: RequestId = match id.parse() {
        Ok(request_id) => request_id,
        Err(error) => return bad("bad_request_id", format!("request_id {error}")),
    };
    let wait = match query_value(query, "wait").map(|wait| wait.parse::<Span>()).transpose() {
        Ok(wait) => wait.map_or(Duration::ZERO, |wait| wait.0.min(WAIT_MAX)),
        Err(error) => return bad("bad_wait", error.to_string()),
    };
    let state = tokio::select! {
        state = settled(app, &request_id) => state,
        () = tokio::time::sleep(wait) => look(app, &request_id),
        () = app.draining.started() => look(app, &request_id),
    };
    match state {
        State::Decided(decided) => answer::decided(&decided),
        // What a crash could still undo is not told.
        State::Queued => match admission::within_limit(app.queue.durable(&request_id)).await {
            Ok(()) => answer::queued(StatusCode::OK, request_id),
            Err(_) => answer::unknown(Some(request_id)),
        },
        State::Unknown => {
            rejected(StatusCode::NOT_FOUND, "unknown_request", "no attempt has this id")
        }
    }
}

/// The sale of the item that a query names, or the only one there is.
pub(super) fn present_sale(app: &App, query: Option<&str>) -> Result<SaleView, Response<Body>> {
    let item = query_value(query, "item").map(|item| item.parse::<ItemId>()).transpose();
    let item = item
        .map_err(|error| rejected(StatusCode::BAD_REQUEST, "bad_item", format!("item {error}")))?;
    app.store.sale(item.as_ref()).map_err(|error| answer::store_error(&error))
}

enum State {
    Decided(Arc<Decided>),
    Queued,
    Unknown,
}

fn look(app: &App, request_id: &RequestId) -> State {
    // In this order, as in `admission::known`.
    let waiting = app.queue.find(request_id);
    match (app.store.decided(request_id), waiting) {
        (Some(decided), _) => State::Decided(decided),
        (None, Some(_)) => State::Queued,
        (None, None) => State::Unknown,
    }
}

/// Resolves when the attempt is not queued, or no longer.
async fn settled(app: &App, request_id: &RequestId) -> State {
    let mut progress = app.store.progress();
    loop {
        progress.mark_unchanged();
        match look(app, request_id) {
            State::Queued => {}
            settled => return settled,
        }
        if progress.changed().await.is_err() {
            return look(app, request_id);
        }
    }
}
