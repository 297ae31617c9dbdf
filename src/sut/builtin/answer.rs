//! Interprets the answers of the built-in API: the outcome for the figures, the meaning for the
//! attempt, and whether the answer calls for a retry.

use std::sync::LazyLock;

use crate::api::{self, Answer, LostReason, Refusal};
use crate::history::{Answered, Loss, OrderStatus, Refused, Status};
use crate::ids::{OrderId, RequestId};
use crate::settings::RetryOn;
use crate::stats::{ErrorKind, Outcome, Reason};
use crate::sut::{Meaning, ShownOrder, Understood, Unusable};

/// The refusals of the API, interned and indexed by `Refusal as usize`.
static REASONS: LazyLock<Vec<Reason>> =
    LazyLock::new(|| Refusal::ALL.iter().map(|refusal| Reason::intern(refusal.as_str())).collect());

/// Parses an answer to an attempt.
///
/// # Errors
/// When it has not the shape of the API's answers.
pub(super) fn parse(status: u16, body: &[u8]) -> Result<Answer<'_>, Unusable> {
    serde_json::from_slice(body).map_err(|_| error_kind(status).into())
}

/// The error of an answer with this status that is not valid.
fn error_kind(status: u16) -> ErrorKind {
    if status >= 500 { ErrorKind::Http(status) } else { ErrorKind::Body }
}

/// Interprets an answer to the attempt `ours`. A refusal says nothing about the attempt as a whole:
/// it promises only that this request had no effect.
///
/// # Errors
/// When it is not a valid answer of the API: then it is unknown whether the request had an effect.
pub(super) fn understand_answer(
    status: u16,
    answer: Answer<'_>,
    ours: RequestId,
) -> Result<Understood, Unusable> {
    let kind = error_kind(status);
    let contradiction = Unusable { kind, is_contradictory: true };
    let names_ours = |id: &str| id.parse() == Ok(ours);
    if !answer.request_id.as_deref().is_none_or(names_ours) {
        return Err(contradiction);
    }
    let known = |outcome, answered| {
        Ok(Understood { outcome, meaning: Meaning::Answered(answered), retry: None })
    };
    let invalid = Understood {
        outcome: Outcome::Rejected,
        meaning: Meaning::Refused(Refused::Invalid),
        retry: None,
    };
    if answer.order_id.is_some() && answer.status != "won" {
        return Err(contradiction);
    }
    match (status, &*answer.status) {
        (202, "queued") => known(Outcome::Accepted, Answered::Accepted),
        (200, "won") => {
            let order_id = OrderId::from_text(answer.order_id.ok_or(contradiction)?);
            known(Outcome::Won, Answered::Won(Box::new(order_id)))
        }
        (LostReason::STATUS, "lost") => match loss(answer.reason.as_deref()) {
            Loss::Foreign => Err(contradiction),
            loss => known(Outcome::Lost, Answered::Lost(loss)),
        },
        (400 | 404 | 405 | 413 | 415, "rejected") => Ok(invalid),
        (403 | 409 | 410 | 422 | 429 | 503, "rejected") => {
            let refusal = answer.reason.as_deref().and_then(Refusal::from_word);
            match refusal {
                Some(refusal) if refusal.status() == status => Ok(refused(refusal)),
                // What may be a fault of something in between: a proxy, or the server itself.
                None if status == 503 => Err(kind.into()),
                // Without a reason, or with one that has another status, it is not a promise of
                // the API.
                Some(_) | None => Err(contradiction),
            }
        }
        (500, "unknown") => Err(ErrorKind::Http(status).into()),
        (_, "queued" | "won" | "lost" | "rejected") => {
            let kind = if matches!(status, 200 | 202) { kind } else { ErrorKind::Http(status) };
            Err(Unusable { kind, is_contradictory: true })
        }
        (200 | 202, _) => Err(kind.into()),
        _ => Err(ErrorKind::Http(status).into()),
    }
}

/// The meaning of the reason for which an attempt lost.
pub(super) fn loss(reason: Option<&str>) -> Loss {
    let Some(word) = reason else { return Loss::Unstated };
    match LostReason::from_word(word) {
        Some(LostReason::SoldOut) => Loss::SoldOut,
        Some(LostReason::AlreadyBought) => Loss::AlreadyBought,
        Some(LostReason::SaleReplaced) => Loss::SaleReplaced,
        Some(LostReason::Undeliverable) => Loss::Undeliverable,
        None => Loss::Foreign,
    }
}

/// The status of an order that a word of the API names.
pub(super) fn order_status(word: &str) -> Option<OrderStatus> {
    Some(match api::OrderStatus::from_word(word)? {
        api::OrderStatus::Held => OrderStatus::Held,
        api::OrderStatus::Paid => OrderStatus::Paid,
        api::OrderStatus::Cancelled => OrderStatus::Cancelled,
        api::OrderStatus::Expired => OrderStatus::Expired,
    })
}

/// Interns the refusals, so that the first one of a run allocates nothing.
pub(crate) fn intern_refusals() {
    LazyLock::force(&REASONS);
}

/// The words of the refusals.
pub(crate) fn refusals() -> impl Iterator<Item = &'static str> {
    Refusal::ALL.iter().map(|refusal| refusal.as_str())
}

/// A refusal as it is sent: its status and its body. The stub server of the self-test answers it.
pub(crate) fn sample_refusal() -> (u16, String) {
    let refusal = Refusal::SoldOut;
    let body = format!(r#"{{"status":"rejected","reason":"{}"}}"#, refusal.as_str());
    (refusal.status(), body)
}

fn refused(refusal: Refusal) -> Understood {
    let (meaning, retry) = match refusal {
        Refusal::NotOpen => (Refused::NotOpen, None),
        Refusal::Closed => (Refused::Closed, None),
        Refusal::AlreadyBought => (Refused::AlreadyBought, None),
        Refusal::SoldOut => (Refused::SoldOut, None),
        Refusal::RequestIdReused => (Refused::IdReused, None),
        Refusal::RateLimited | Refusal::NotAdmitted => {
            (Refused::RateLimited, Some(RetryOn::RateLimited))
        }
        Refusal::QueueFull
        | Refusal::BrokerUnavailable
        | Refusal::StoreUnavailable
        | Refusal::Draining => (Refused::Unavailable, Some(RetryOn::Unavailable)),
    };
    let outcome = Outcome::Refused(REASONS[refusal as usize]);
    Understood { outcome, meaning: Meaning::Refused(meaning), retry }
}

/// Interprets an answer to a request for the result of `ours`; `None` when the server knows no such
/// attempt. What is shown of its order comes with it.
///
/// # Errors
/// When it is not a valid answer of the API: then nothing is known.
pub(crate) fn understand_result(
    http: u16,
    body: &[u8],
    ours: RequestId,
) -> Result<(Option<Status>, ShownOrder), Unusable> {
    let kind = error_kind(http);
    let answer = parse(http, body)?;
    let contradiction = Unusable { kind, is_contradictory: true };
    if answer.request_id.as_deref().is_some_and(|id| id.parse() != Ok(ours)) {
        return Err(contradiction);
    }
    let status = match (http, &*answer.status, answer.order_id, answer.reason.as_deref()) {
        (200, "queued", None, _) => Ok(Some(Status::Queued)),
        (200, "lost", None, reason) => Ok(Some(Status::Lost(loss(reason)))),
        (200, "won", Some(id), _) => Ok(Some(Status::Won(OrderId::from_text(id)))),
        (404, "rejected", None, Some("unknown_request")) => Ok(None),
        // No request for a result is malformed, and its answer is no refusal of an attempt.
        (400 | 404 | 409 | 410 | 422, "rejected", ..) => Err(contradiction),
        (_, "queued" | "won" | "lost", ..) => Err(contradiction),
        _ => Err(kind.into()),
    };
    let status = status?;
    if !matches!(status, Some(Status::Won(_))) {
        // Only a won attempt has an order.
        let has_order = answer.order.is_some() || answer.held_until_us.is_some();
        return if has_order { Err(contradiction) } else { Ok((status, ShownOrder::default())) };
    }
    if answer.position.is_some() {
        return Err(contradiction);
    }
    let order = answer.order.as_deref().map(|word| order_status(word).ok_or(contradiction));
    let shown = ShownOrder { status: order.transpose()?, held_until_us: answer.held_until_us };
    // The deadline comes with every word for what has become of the order.
    match shown {
        ShownOrder { status: Some(_), held_until_us: None } => Err(contradiction),
        shown => Ok((status, shown)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn understand(
        status: u16,
        body: &[u8],
        ours: RequestId,
    ) -> Result<Understood, Unusable> {
        understand_answer(status, parse(status, body)?, ours)
    }

    fn outcome(status: u16, body: &str) -> Result<Outcome, ErrorKind> {
        let ours = RequestId(uuid::Uuid::from_u128(7));
        let understood = understand(status, body.as_bytes(), ours);
        understood.map(|understood| understood.outcome).map_err(|unusable| unusable.kind)
    }

    #[test]
    fn answers_of_the_api_are_outcomes() {
        let sold_out = r#"{"status":"rejected","reason":"sold_out"}"#;
        assert_eq!(outcome(202, r#"{"status":"queued"}"#), Ok(Outcome::Accepted));
        assert_eq!(outcome(200, r#"{"status":"won","order_id":"o"}"#), Ok(Outcome::Won));
        assert_eq!(outcome(200, r#"{"status":"lost","reason":"sold_out"}"#), Ok(Outcome::Lost));
        assert_eq!(outcome(410, sold_out), Ok(Outcome::Refused(Reason::intern("sold_out"))));
        let malformed = r#"{"status":"rejected","reason":"bad_uid"}"#;
        assert_eq!(outcome(400, malformed), Ok(Outcome::Rejected));
    }

    #[test]
    fn answer_with_another_request_id_is_an_error() {
        let queued = |id| format!(r#"{{"status":"queued","request_id":"{id}"}}"#);
        let id = |number| uuid::Uuid::from_u128(number).to_string();
        assert_eq!(outcome(202, &queued(id(7))), Ok(Outcome::Accepted));
        assert_eq!(outcome(202, &queued(id(8))), Err(ErrorKind::Body));
        assert_eq!(outcome(202, &queued("x".into())), Err(ErrorKind::Body));
    }

    #[test]
    fn any_other_answer_is_an_error() {
        let unknown = r#"{"status":"unknown","reason":"outcome_unknown"}"#;
        assert_eq!(outcome(500, unknown), Err(ErrorKind::Http(500)));
        assert_eq!(outcome(502, "<html>"), Err(ErrorKind::Http(502)));
        assert_eq!(outcome(503, "<html>"), Err(ErrorKind::Http(503)));
        assert_eq!(outcome(404, "<html>"), Err(ErrorKind::Body));
        assert_eq!(outcome(200, r#"{"status":"won"}"#), Err(ErrorKind::Body));
        assert_eq!(outcome(200, r#"{"status":"fine"}"#), Err(ErrorKind::Body));
        assert_eq!(outcome(301, r#"{"status":"moved"}"#), Err(ErrorKind::Http(301)));
    }

    #[test]
    fn refusal_with_the_status_of_another_is_an_error() {
        let refused = |reason| format!(r#"{{"status":"rejected","reason":"{reason}"}}"#);
        assert_eq!(outcome(503, &refused("sold_out")), Err(ErrorKind::Http(503)));
        assert_eq!(outcome(409, &refused("sold_out")), Err(ErrorKind::Body));
        for refusal in Refusal::ALL {
            let understood = outcome(refusal.status(), &refused(refusal.as_str()));
            let reason = Reason::intern(refusal.as_str());
            assert_eq!(understood, Ok(Outcome::Refused(reason)));
        }
    }

    #[test]
    fn order_of_a_result_comes_with_its_deadline() {
        let ours = RequestId(uuid::Uuid::from_u128(7));
        let shown = |keys: &str| {
            let body = format!(r#"{{"status":"won","order_id":"o"{keys}}}"#);
            let understood = understand_result(200, body.as_bytes(), ours);
            understood.map(|(_, shown)| shown).map_err(|unusable| unusable.is_contradictory)
        };
        let of = |status, held_until_us| Ok(ShownOrder { status, held_until_us });
        assert_eq!(shown(""), of(None, None));
        assert_eq!(shown(r#","order":null,"held_until_us":null"#), of(None, None));
        assert_eq!(shown(r#","held_until_us":5"#), of(None, Some(5)));
        let held = Some(OrderStatus::Held);
        assert_eq!(shown(r#","order":"held","held_until_us":5"#), of(held, Some(5)));
        assert_eq!(shown(r#","order":"held""#), Err(true));
        assert_eq!(shown(r#","order":"kept","held_until_us":5"#), Err(true));
        assert_eq!(shown(r#","position":3"#), Err(true));
        let of_others = [
            (200, r#"{"status":"lost","reason":"sold_out","order":"held","held_until_us":5}"#),
            (200, r#"{"status":"queued","held_until_us":5}"#),
            (404, r#"{"status":"rejected","reason":"unknown_request","order_id":"o"}"#),
        ];
        for (http, body) in of_others {
            let understood = understand_result(http, body.as_bytes(), ours);
            assert!(understood.unwrap_err().is_contradictory, "{body}");
        }
    }
}
