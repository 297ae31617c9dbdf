//! The flaw `sticky-sold-out`: the first attempt that is refused, for whatever reason, sets a flag
//! in memory that says the sale is sold out. Nothing resets it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::{Response, StatusCode};

use crate::api::Refusal;
use crate::store::StoreError;

use super::super::admission;
use super::super::answer::refused;
use super::super::app::{App, Boxed};
use super::super::purchase_request::PurchaseRequest;

/// The epochs of the sales that count as sold out in this process.
static SOLD_OUT: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

/// Admits an attempt, unless an earlier one was refused.
pub(in crate::server) fn admit(
    app: &App,
    request: PurchaseRequest,
) -> Boxed<'_, Result<Response<Bytes>, StoreError>> {
    Box::pin(async move {
        let epoch = app.store.sale(request.item.as_ref()).await?.epoch;
        if sold_out().contains(&epoch) {
            return Ok(refused(Refusal::SoldOut));
        }
        let admitted = admission::admit(app, request, app.draining.has_begun()).await;
        if admitted.as_ref().map_or(true, is_refusal) {
            sold_out().insert(epoch);
        }
        admitted
    })
}

/// Whether the attempt was refused, or failed. Requests that were malformed do not count.
fn is_refusal(response: &Response<Bytes>) -> bool {
    let status = response.status();
    let is_malformed = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&status);
    !status.is_success() && !is_malformed
}

fn sold_out() -> MutexGuard<'static, BTreeSet<u64>> {
    SOLD_OUT.lock().unwrap_or_else(PoisonError::into_inner)
}
