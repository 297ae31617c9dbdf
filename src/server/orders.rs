//! Orders that need a payment: `POST /orders/{order_id}/pay` and `/cancel`, and how an attempt is
//! answered that won one.

use bytes::Bytes;
use hyper::{Response, StatusCode};
use percent_encoding::percent_decode_str;

use crate::api::EndOrder;
use crate::ids::{OrderId, RequestId};
use crate::sale::Ending;
use crate::store::{Decided, OrderRef, StoreError};

use super::answer::{self, rejected};
use super::app::App;

/// Order and ending that a path names.
pub(super) fn of_path(path: &str) -> Option<(&str, Ending)> {
    let (order_id, word) = path.strip_prefix("/orders/")?.rsplit_once('/')?;
    let ending = match word {
        "pay" => Ending::Pay,
        "cancel" => Ending::Cancel,
        _ => return None,
    };
    let is_name = !order_id.is_empty() && !order_id.contains('/');
    is_name.then_some((order_id, ending))
}

/// Answers a payment or a cancellation.
pub(super) async fn end(
    app: &App,
    order_id: &str,
    ending: Ending,
    body: EndOrder,
) -> Response<Bytes> {
    let request_id: RequestId = match body.request_id.parse() {
        Ok(request_id) => request_id,
        Err(error) => return answer::bad_request_id(error),
    };
    // Ids of orders need no escapes in a path, but some clients escape the colon of an item.
    let order_id = percent_decode_str(order_id).decode_utf8_lossy();
    let order = OrderRef { order_id: OrderId::from_text(order_id), request_id };
    match app.store.end_order(&order, ending, app.clock.now_us()).await {
        Ok(Some(status)) if status == ending.status() => answer::ended(&order, status),
        Ok(Some(status)) => answer::ended_otherwise(status),
        Ok(None) => {
            let message = "this request_id has no such order that needs a payment";
            rejected(StatusCode::NOT_FOUND, "unknown_order", message)
        }
        Err(StoreError::Unknown) => answer::unknown(Some(request_id)),
        Err(error) => answer::store_error(&error),
    }
}

/// Answers a request for the result of a decided attempt. What has become of its order is read from
/// the store, if it needs a payment.
pub(super) async fn decided(app: &App, decided: &Decided) -> Response<Bytes> {
    if decided.held_until_us.is_none() {
        return answer::decided(decided);
    }
    match app.store.order(decided).await {
        Ok(order) => answer::decided_with(decided, order),
        Err(error) => answer::store_error(&error),
    }
}
