//! How the article's server admitted an attempt: it checked nothing and published.

use hyper::Response;

use crate::store::StoreError;

use super::super::admission;
use super::super::answer::Body;
use super::super::app::{App, Boxed};
use super::super::wanted::Wanted;

/// Enqueues an attempt. Whether the sale is open, sold out, or has an order of this buyer is left
/// to the consumer.
pub(in crate::server) fn admit(
    app: &App,
    wanted: Wanted,
) -> Boxed<'_, Result<Response<Body>, StoreError>> {
    Box::pin(async move {
        let sale = app.store.sale(wanted.item.as_ref()).await?;
        admission::enqueue(app, wanted, sale, app.clock.now_us()).await
    })
}
