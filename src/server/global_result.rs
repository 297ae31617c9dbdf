//! The flaw `global-result`: whoever asks is told how the sale stands, and not what became of the
//! attempt.

use hyper::{Response, StatusCode};

use crate::api::Answer;
use crate::api::LostReason;
use crate::ids::RequestId;

use super::App;
use super::answer::{self, Body, json};

/// Answers `GET /result/{request_id}`: `queued` while there is stock, and then `lost`, to winners
/// too.
pub(super) async fn attempt(app: &App, id: &str) -> Response<Body> {
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
