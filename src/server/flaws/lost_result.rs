//! The flaw `lost-result`: only orders are written as results, so an attempt that lost stays
//! `queued` for its buyer.

use bytes::Bytes;
use hyper::{Response, StatusCode};

use crate::ids::RequestId;
use crate::sale::Decision;
use crate::store::Known;

use super::super::answer::{self, rejected};
use super::super::app::{App, Boxed};
use super::super::intake;

/// Answers `GET /result/{request_id}`: `won` to winners, and `queued` to everybody else, for ever.
pub(in crate::server) fn answer<'a>(app: &'a App, id: &'a str) -> Boxed<'a, Response<Bytes>> {
    Box::pin(order_or_queued(app, id))
}

async fn order_or_queued(app: &App, id: &str) -> Response<Bytes> {
    let request_id: RequestId = match id.parse() {
        Ok(request_id) => request_id,
        Err(error) => return answer::bad_request_id(error),
    };
    match intake::known(app, &request_id).await {
        Ok(Some(Known::Decided(decided))) if matches!(decided.decision, Decision::Won(_)) => {
            answer::decided(&decided)
        }
        Ok(Some(_)) => answer::waiting(request_id, None),
        Ok(None) => rejected(StatusCode::NOT_FOUND, "unknown_request", "no attempt has this id"),
        Err(error) => answer::store_error(&error),
    }
}
