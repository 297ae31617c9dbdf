//! Requests under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use seckill::server::{App, route};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{TOKEN, get, id, post, request};

/// A request about an attempt.
pub(crate) struct Sent {
    pub(crate) attempt: usize,
    /// The step in which it was sent.
    pub(crate) at: usize,
    pub(crate) answer: JoinHandle<(u16, Value)>,
}

impl Sent {
    fn new(app: &Arc<App>, attempt: usize, at: usize, request: Request<Full<Bytes>>) -> Self {
        let app = Arc::clone(app);
        let answer = tokio::spawn(async move {
            let (code, body) = answer(&app, request).await;
            (code, serde_json::from_slice(&body).unwrap_or_default())
        });
        Self { attempt, at, answer }
    }

    /// A click, the first of the attempt or another one.
    pub(crate) fn buy(app: &Arc<App>, attempt: usize, at: usize, buyer: usize) -> Self {
        let uid = format!("buyer-{buyer}");
        let body = json!({"uid": uid, "request_id": id(attempt), "item": "tea"});
        Self::new(app, attempt, at, post(body.to_string()))
    }

    /// A question for the result.
    pub(crate) fn ask(app: &Arc<App>, attempt: usize, at: usize) -> Self {
        Self::new(app, attempt, at, get(&format!("/result/{}", id(attempt))))
    }

    /// A payment or a cancellation: `pay` or `cancel`.
    pub(crate) fn end(
        app: &Arc<App>,
        attempt: usize,
        at: usize,
        order_id: &str,
        word: &str,
    ) -> Self {
        let body = json!({"request_id": id(attempt)}).to_string();
        let request = request("POST", &format!("/orders/{order_id}/{word}"))
            .header("content-type", "application/json")
            .body(Full::new(body.into()));
        Self::new(app, attempt, at, request.unwrap())
    }
}

/// Answers a request, as a connection would.
pub(crate) async fn answer(app: &App, request: Request<Full<Bytes>>) -> (u16, Bytes) {
    let (head, body) = route(app, request).await.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    (head.status.as_u16(), body)
}

/// The rows of the ledger by their request ids.
pub(crate) async fn ledger(app: &App) -> Result<BTreeMap<String, Value>, String> {
    let token = format!("Bearer {TOKEN}");
    let request = request("GET", "/admin/ledger").header("authorization", token);
    let (code, body) = answer(app, request.body(Full::default()).unwrap()).await;
    if code != 200 {
        return Err(format!("the ledger cannot be read: {code}"));
    }
    let text = String::from_utf8_lossy(&body);
    let rows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut by_id = BTreeMap::new();
    for row in rows.filter(|row| row["request_id"].is_string()) {
        let id = row["request_id"].as_str().unwrap_or_default().to_owned();
        if by_id.insert(id, row.clone()).is_some() {
            return Err(format!("an attempt is in the ledger twice: {row}"));
        }
    }
    Ok(by_id)
}
