//! `GET /readyz`: whether queue and store are reachable.

use hyper::header::RETRY_AFTER;
use hyper::{Response, StatusCode};
use serde_json::json as object;

use crate::api::Refusal;

use super::answer::{self, Body, json, refused};
use super::app::App;

/// Answers whether both engines are reachable, and if not, which one is not.
pub(super) async fn ready(app: &App) -> Response<Body> {
    if app.draining.is_cancelled() {
        return refused(Refusal::Draining);
    }
    let (queue, store) = tokio::join!(app.queue.check(), app.store.check());
    let (queue, store) = (queue.err(), store.err());
    if queue.is_none() && store.is_none() {
        return json(StatusCode::OK, &object!({"status": "ok", "queue": "ok", "store": "ok"}));
    }
    let reason = match &queue {
        Some(_) => Refusal::BrokerUnavailable,
        None => Refusal::StoreUnavailable,
    };
    let state = |problem: &Option<String>| match problem {
        Some(_) => "unavailable",
        None => "ok",
    };
    let message: Vec<&str> = queue.iter().chain(&store).map(String::as_str).collect();
    let body = object!({
        "status": "rejected", "reason": reason.as_str(), "message": message.join("; "),
        "queue": state(&queue), "store": state(&store),
    });
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &body);
    response.headers_mut().insert(RETRY_AFTER, answer::RETRY_AFTER_S);
    response
}
