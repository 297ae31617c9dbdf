//! Answers of the API.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Row, Status};

/// How much of an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Whole,
    /// Half of its bytes; then the connection is closed.
    Half,
    /// Nothing; the connection is closed.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) retry_after: Option<&'static str>,
    pub(crate) sent: Sent,
    /// Milliseconds until it is sent.
    pub(crate) pause_ms: u64,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl ToString) -> Self {
        let body = body.to_string();
        Self { status, body, retry_after: None, sent: Sent::Whole, pause_ms: 0 }
    }

    pub(crate) fn cut(self) -> Self {
        Self { sent: Sent::Half, ..self }
    }

    pub(crate) fn dropped(self) -> Self {
        Self { sent: Sent::Nothing, ..self }
    }

    pub(crate) fn without_retry_after(self) -> Self {
        Self { retry_after: None, ..self }
    }

    pub(crate) fn after_ms(self, pause_ms: u64) -> Self {
        Self { pause_ms, ..self }
    }
}

/// A refusal; the ones that ask for another try say when.
pub(crate) fn refused(status: u16, reason: &str) -> Answer {
    let answer = Answer::new(status, json!({"status": "rejected", "reason": reason}));
    Answer { retry_after: matches!(status, 429 | 503).then_some("1"), ..answer }
}

pub(crate) fn sold_out() -> Answer {
    refused(410, "sold_out")
}

/// The answer of a server that cannot tell.
pub(crate) fn failed() -> Answer {
    Answer::new(500, json!({"status": "unknown", "reason": "outcome_unknown"}))
}

pub(crate) fn queued(id: Uuid) -> Answer {
    Answer::new(202, json!({"status": "queued", "request_id": id.to_string()}))
}

pub(crate) fn won(id: Uuid, order: &str) -> Answer {
    let id = id.to_string();
    Answer::new(200, json!({"status": "won", "request_id": id, "order_id": order}))
}

pub(crate) fn lost(id: Uuid, reason: &str) -> Answer {
    let id = id.to_string();
    Answer::new(200, json!({"status": "lost", "request_id": id, "reason": reason}))
}

/// What a request of an accepted attempt is answered.
pub(crate) fn of_attempt(row: &Row) -> Answer {
    match &row.status {
        Status::Queued => queued(row.id),
        Status::Won(order) => won(row.id, order),
        Status::Lost(reason) => lost(row.id, reason),
    }
}

/// The answer about the result of an accepted attempt.
pub(crate) fn of_result(row: &Row) -> Answer {
    let answer = Answer { status: 200, ..of_attempt(row) };
    let Some(order) = row.order else { return answer };
    let mut body: Value = serde_json::from_str(&answer.body).unwrap();
    order.show(&mut body, false);
    Answer { body: body.to_string(), ..answer }
}

/// The answer about the result of an attempt that is not known.
pub(crate) fn unknown_request() -> Answer {
    refused(404, "unknown_request")
}

/// A row as a line of the ledger.
pub(crate) fn line(row: &Row) -> Value {
    let mut line = json!({
        "request_id": row.id.to_string(), "uid": row.uid, "item": row.item, "seq": row.seq,
        "accepted_us": row.accepted_us, "status": "queued",
    });
    if let Some(us) = row.decided_us {
        line["decided_us"] = us.into();
    }
    match &row.status {
        Status::Queued => {}
        Status::Won(order) => {
            line["status"] = "won".into();
            line["order_id"] = order.clone().into();
            row.order.iter().for_each(|order| order.show(&mut line, true));
        }
        Status::Lost(reason) => {
            line["status"] = "lost".into();
            line["reason"] = (*reason).into();
        }
    }
    line
}
