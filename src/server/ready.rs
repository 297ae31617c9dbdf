//! `GET /readyz`: whether queue and store are reachable.

use bytes::Bytes;
use hyper::header::RETRY_AFTER;
use hyper::{Response, StatusCode};
use serde_json::json as object;

use crate::api::Refusal;

use super::answer::{json, refused};
use super::app::App;
use super::retry_after;

/// What this process knows by itself is looked at for each request, and an engine is asked for many
/// requests at once.
async fn queue(app: &App) -> Result<(), String> {
    match app.queue.unavailable() {
        Some(problem) => Err(problem),
        None => app.queue_check.outcome(app.queue.check()).await,
    }
}

async fn store(app: &App) -> Result<(), String> {
    match app.store.unavailable() {
        Some(problem) => Err(problem),
        None => app.store_check.outcome(app.store.check()).await,
    }
}

/// Answers whether both engines are reachable, and if not, which one is not.
pub(super) async fn ready(app: &App) -> Response<Bytes> {
    if app.draining.has_begun() {
        return refused(Refusal::Draining);
    }
    let (queue, store) = tokio::join!(queue(app), store(app));
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
    response.headers_mut().insert(RETRY_AFTER, retry_after::header(None));
    response
}
