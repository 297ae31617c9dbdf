//! Complete answers, and assertions about them.

use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;

/// A complete answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The status of an attempt in an answer to a purchase or a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AttemptStatus {
    Queued,
    Won(String),
    Lost(String),
}

impl AttemptStatus {
    pub(crate) fn won(order_id: &str) -> Self {
        Self::Won(order_id.into())
    }

    pub(crate) fn lost(reason: &str) -> Self {
        Self::Lost(reason.into())
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.header(CONTENT_TYPE.as_str()), Some("application/json"), "{text}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn allow(&self) -> Option<&str> {
        self.header(ALLOW.as_str())
    }

    /// The status of the attempt `request_id` in this answer.
    #[track_caller]
    pub(crate) fn status_of(&self, request_id: &str) -> AttemptStatus {
        let body = self.json();
        let word = |name: &str| body[name].as_str().map(str::to_owned);
        assert_eq!(word("request_id").as_deref(), Some(request_id), "{body}");
        match (word("status").as_deref(), word("order_id"), word("reason")) {
            (Some("queued"), None, None) => AttemptStatus::Queued,
            (Some("won"), Some(order_id), None) => AttemptStatus::Won(order_id),
            (Some("lost"), None, Some(reason)) => AttemptStatus::Lost(reason),
            _ => panic!("no answer about an attempt: {} {body}", self.code),
        }
    }
}

/// Asserts that this is a refusal with this code and reason, that it has `Retry-After` exactly
/// where a retry makes sense, and that it reveals nothing else.
#[track_caller]
pub(crate) fn assert_refused(reply: &Reply, code: u16, reason: &str) {
    let body = reply.json();
    assert_eq!((reply.code, body["reason"].as_str()), (code, Some(reason)), "{body}");
    assert_eq!(body["status"], "rejected");
    assert!(body.get("order_id").is_none(), "{body}");
    let retry_after = reply.header(RETRY_AFTER.as_str()).map(|after| after.parse::<u32>().unwrap());
    assert_eq!(retry_after.is_some(), matches!(code, 429 | 503), "Retry-After: {retry_after:?}");
}
