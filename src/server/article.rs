//! How the article's server took an attempt: it asked nothing, and published.

use hyper::Response;
use hyper::header::HeaderValue;

use crate::api::Purchase;

use super::App;
use super::admission::{self, Wanted};
use super::answer::{self, Body};

/// Answers `POST /seckill`. Whether the sale is open, sold out, or has seen this buyer is left to
/// the consumer.
pub(super) async fn purchase(
    app: &App,
    purchase: Purchase,
    keys: &[HeaderValue],
) -> Response<Body> {
    let wanted = match Wanted::parse(purchase, keys) {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let request_id = wanted.request_id;
    let sale = match app.store.sale(wanted.item.as_ref()).await {
        Ok(sale) => sale,
        Err(error) => return answer::store_error(&error),
    };
    admission::enqueue(app, wanted, sale, app.clock.now_us())
        .await
        .unwrap_or_else(|_| answer::unknown(Some(request_id)))
}
