//! How the article's server took an attempt: it asked nothing, and published.

use hyper::Response;

use crate::store::StoreError;

use super::App;
use super::admission::{self, Wanted};
use super::answer::Body;

/// Queues an attempt. Whether the sale is open, sold out, or has seen this buyer is left to the
/// consumer.
pub(super) async fn admit(app: &App, wanted: Wanted) -> Result<Response<Body>, StoreError> {
    let sale = app.store.sale(wanted.item.as_ref()).await?;
    admission::enqueue(app, wanted, sale, app.clock.now_us()).await
}
