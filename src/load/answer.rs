//! What an answer means: its outcome for the figures, and what it tells the history.

use crate::api::Answer;
use crate::api::Refusal;
use crate::audit::{Status, Told};
use crate::ids::{OrderId, RequestId};
use crate::stats::{ErrorKind, Outcome};

/// Reads an answer to the attempt `ours`. The history learns nothing from a refusal: it promises
/// that there is no effect.
///
/// # Errors
/// When it is no answer of the API: then it is unknown whether there was an effect.
pub(super) fn read(
    status: u16,
    body: &[u8],
    ours: RequestId,
) -> Result<(Outcome, Option<Told>), ErrorKind> {
    let unusable = || if status >= 500 { ErrorKind::Http(status) } else { ErrorKind::Body };
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| unusable())?;
    let names_ours = |id: &str| id.parse() == Ok(ours);
    if !answer.request_id.as_deref().is_none_or(names_ours) {
        return Err(unusable());
    }
    let reason = answer.reason.as_deref().unwrap_or_default();
    match (status, &*answer.status) {
        (202, "queued") => Ok((Outcome::Queued, Some(Told::Accepted))),
        (200, "won") => {
            let order_id = OrderId::from_text(answer.order_id.ok_or(ErrorKind::Body)?);
            Ok((Outcome::Won, Some(Told::Won(Box::new(order_id)))))
        }
        (200, "lost") => Ok((Outcome::Lost, Some(Told::Lost))),
        (200 | 202, _) => Err(ErrorKind::Body),
        (400 | 404 | 405 | 413 | 415, "rejected") => Ok((Outcome::Rejected, None)),
        (403 | 409 | 410 | 422 | 429 | 503, "rejected") => match Refusal::from_word(reason) {
            Some(refusal) => Ok((Outcome::Refused(refusal), None)),
            None => Err(unusable()),
        },
        _ => Err(ErrorKind::Http(status)),
    }
}

/// Reads an answer to a question for a result; `None` when the server knows of no such attempt.
///
/// # Errors
/// When it is no answer of the API: then nothing is known.
pub fn read_result(http: u16, body: &[u8]) -> Result<Option<Status>, ErrorKind> {
    let unusable = || if http >= 500 { ErrorKind::Http(http) } else { ErrorKind::Body };
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| unusable())?;
    match (http, &*answer.status, answer.order_id) {
        (200, "queued", None) => Ok(Some(Status::Queued)),
        (200, "lost", None) => Ok(Some(Status::Lost)),
        (200, "won", Some(id)) => Ok(Some(Status::Won(OrderId::from_text(id)))),
        (404, "rejected", _) => Ok(None),
        _ => Err(unusable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> Result<Outcome, ErrorKind> {
        let ours = RequestId(uuid::Uuid::from_u128(7));
        read(status, body.as_bytes(), ours).map(|(outcome, _)| outcome)
    }

    #[test]
    fn promised_answers_are_outcomes() {
        let sold_out = r#"{"status":"rejected","reason":"sold_out"}"#;
        assert_eq!(outcome(202, r#"{"status":"queued"}"#), Ok(Outcome::Queued));
        assert_eq!(outcome(200, r#"{"status":"won","order_id":"o"}"#), Ok(Outcome::Won));
        assert_eq!(outcome(200, r#"{"status":"lost","reason":"sold_out"}"#), Ok(Outcome::Lost));
        assert_eq!(outcome(410, sold_out), Ok(Outcome::Refused(Refusal::SoldOut)));
        let malformed = r#"{"status":"rejected","reason":"bad_uid"}"#;
        assert_eq!(outcome(400, malformed), Ok(Outcome::Rejected));
    }

    #[test]
    fn an_answer_to_somebody_else_is_an_error() {
        let queued = |id| format!(r#"{{"status":"queued","request_id":"{id}"}}"#);
        let id = |number| uuid::Uuid::from_u128(number).to_string();
        assert_eq!(outcome(202, &queued(id(7))), Ok(Outcome::Queued));
        assert_eq!(outcome(202, &queued(id(8))), Err(ErrorKind::Body));
        assert_eq!(outcome(202, &queued("x".into())), Err(ErrorKind::Body));
    }

    #[test]
    fn everything_else_is_an_error() {
        let unknown = r#"{"status":"unknown","reason":"outcome_unknown"}"#;
        assert_eq!(outcome(500, unknown), Err(ErrorKind::Http(500)));
        assert_eq!(outcome(502, "<html>"), Err(ErrorKind::Http(502)));
        assert_eq!(outcome(503, "<html>"), Err(ErrorKind::Http(503)));
        assert_eq!(outcome(404, "<html>"), Err(ErrorKind::Body));
        assert_eq!(outcome(200, r#"{"status":"won"}"#), Err(ErrorKind::Body));
        assert_eq!(outcome(200, r#"{"status":"fine"}"#), Err(ErrorKind::Body));
        assert_eq!(outcome(301, r#"{"status":"moved"}"#), Err(ErrorKind::Http(301)));
    }
}
