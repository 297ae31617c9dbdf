//! The flaw `global-result`: the result of an attempt is answered with the state of the sale, and
//! not with the decision on the attempt.

use bytes::Bytes;
use hyper::{Response, StatusCode};

use crate::api::{Answer, LostReason};
use crate::ids::RequestId;
use crate::store::{SaleView, StoreError};

use super::super::answer::{self, json};
use super::super::app::{App, Boxed};
use super::super::intake;

/// Answers `GET /result/{request_id}`: `queued` while there is stock, and then `lost`, to winners
/// too.
pub(in crate::server) fn answer<'a>(app: &'a App, id: &'a str) -> Boxed<'a, Response<Bytes>> {
    Box::pin(state_of_sale(app, id))
}

async fn state_of_sale(app: &App, id: &str) -> Response<Bytes> {
    let request_id: RequestId = match id.parse() {
        Ok(request_id) => request_id,
        Err(error) => return answer::bad_request_id(error),
    };
    match sale_of(app, &request_id).await {
        Ok(sale) if sale.left > 0 => answer::waiting(request_id, None),
        Ok(_) => {
            let answer = Answer {
                status: "lost".into(),
                reason: Some(LostReason::SoldOut.as_str().into()),
                request_id: Some(request_id.to_string().into()),
                ..Answer::default()
            };
            json(StatusCode::OK, &answer)
        }
        Err(error) => answer::store_error(&error),
    }
}

/// The sale of the attempt's item; if nothing is known of the attempt, that of the only item.
async fn sale_of(app: &App, request_id: &RequestId) -> Result<SaleView, StoreError> {
    let known = intake::known(app, request_id).await?;
    app.store.sale(known.as_ref().map(|known| &known.attempt().item)).await
}
