//! How the article's server admitted an attempt: it checked nothing and published.

use bytes::Bytes;
use hyper::Response;

use crate::queue::Room;
use crate::store::StoreError;

use super::super::admission;
use super::super::app::{App, Boxed};
use super::super::purchase_request::PurchaseRequest;

/// Enqueues an attempt. Whether the sale is open, sold out, or has an order of this buyer is left
/// to the consumer.
pub(in crate::server) fn admit(
    app: &App,
    request: PurchaseRequest,
) -> Boxed<'_, Result<Response<Bytes>, StoreError>> {
    Box::pin(async move {
        let sale = app.store.sale(request.item.as_ref()).await?;
        let request_id = request.request_id;
        let (now_us, room) = (app.clock.now_us(), Room::default());
        let accepted = admission::enqueue(app, &request, sale, now_us, room).await?;
        Ok(admission::answer_accepted(app, accepted, request_id))
    })
}
