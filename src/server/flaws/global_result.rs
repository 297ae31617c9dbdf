//! The flaw `global-result`: the result of an attempt is answered with the state of the sale, and
//! not with the decision on the attempt.

use hyper::{Response, StatusCode};

use crate::api::{Answer, LostReason};
use crate::ids::RequestId;

use super::super::answer::{self, Body, json};
use super::super::app::{App, Boxed};

/// Answers `GET /result/{request_id}`: `queued` while there is stock, and then `lost`, to winners
/// too.
pub(in crate::server) fn answer<'a>(app: &'a App, id: &'a str) -> Boxed<'a, Response<Body>> {
    Box::pin(state_of_sale(app, id))
}

async fn state_of_sale(app: &App, id: &str) -> Response<Body> {
    let request_id: RequestId = match id.parse() {
        Ok(request_id) => request_id,
        Err(error) => return answer::bad_request_id(error),
    };
    match app.store.sale(None).await {
        Ok(sale) if sale.left > 0 => answer::queued(StatusCode::OK, request_id),
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
