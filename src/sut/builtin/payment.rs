//! Payments for orders that are held: requests, and what their answers mean.

use std::fmt::Write;

use crate::api::{Answer, EndOrder, OrderStatus, Refusal};
use crate::history::PaymentAnswer;
use crate::ids::{OrderId, RequestId};
use crate::profile::Plan;
use crate::stats::ErrorKind;
use crate::sut::{Target, Unusable};

/// The label of a payment in reports.
pub(crate) const PAYMENT_LABEL: &str = "POST /orders/{order_id}/pay";

/// What all payments of a run have in common.
#[derive(Debug, Clone)]
pub(crate) struct Payments {
    head: String,
}

impl Payments {
    pub(crate) fn new(target: &Target, plan: &Plan) -> Self {
        let connection = if plan.keepalive { "keep-alive" } else { "close" };
        let host = &target.host;
        let head = format!(
            "HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n\
             Content-Type: application/json\r\n"
        );
        Self { head }
    }

    /// `POST /orders/{order_id}/pay`.
    pub(crate) fn request(&self, order_id: &OrderId, request_id: RequestId) -> Vec<u8> {
        let body = EndOrder { request_id: request_id.to_string() };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let (order_id, head, len) = (encoded(order_id.as_str()), &self.head, body.len());
        format!("POST /orders/{order_id}/pay {head}Content-Length: {len}\r\n\r\n{body}")
            .into_bytes()
    }
}

/// Text from a server as a segment of a path: RFC 3986, section 2.1. A colon may stay as it is.
fn encoded(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                segment.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(segment, "%{byte:02X}")),
        }
    }
    segment
}

/// Interprets an answer to a payment for the order `paid_for` of `ours`: what it says, and the
/// order that it names as paid for, if that is another one ([`OrderId::untold`] if it names none).
///
/// # Errors
/// When it is not a valid answer of the API: then it is unknown whether the payment had an effect.
pub(crate) fn understand_payment(
    http: u16,
    body: &[u8],
    paid_for: &OrderId,
    ours: RequestId,
) -> Result<(PaymentAnswer, Option<OrderId>), Unusable> {
    let kind = if http >= 500 { ErrorKind::Http(http) } else { ErrorKind::Body };
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|_| kind)?;
    let contradiction = Unusable { kind, is_contradictory: true };
    if answer.request_id.as_deref().is_some_and(|id| id.parse() != Ok(ours)) {
        return Err(contradiction);
    }
    let reason = answer.reason.as_deref().unwrap_or_default();
    match (http, &*answer.status) {
        (200, "paid") => {
            let told = answer.order_id.map_or_else(OrderId::untold, OrderId::from_text);
            Ok((PaymentAnswer::Paid, Some(told).filter(|told| told != paid_for)))
        }
        (OrderStatus::REFUSED, "rejected") => match OrderStatus::from_word(reason) {
            Some(OrderStatus::Expired) => Ok((PaymentAnswer::Expired, None)),
            Some(OrderStatus::Cancelled) => Ok((PaymentAnswer::Cancelled, None)),
            _ => Err(contradiction),
        },
        (404, "rejected") if reason == "unknown_order" => Ok((PaymentAnswer::UnknownOrder, None)),
        (429 | 503, "rejected") if Refusal::from_word(reason).is_some() => {
            Ok((PaymentAnswer::Refused, None))
        }
        // A well-formed payment is never refused for another reason, nor answered so by another
        // status.
        (400..=428 | 430..=499, "rejected") | (200 | 409, _) | (_, "paid" | "cancelled") => {
            Err(contradiction)
        }
        _ if http >= 300 => Err(ErrorKind::Http(http).into()),
        _ => Err(kind.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BenchFlags;

    const OURS: RequestId = RequestId(uuid::Uuid::from_u128(7));

    fn order(number: u64) -> OrderId {
        OrderId::from_text(format!("tea-1-{number}"))
    }

    #[test]
    fn payment_names_the_order_and_the_attempt() {
        let target = Target::new(Some("http://127.0.0.1:7001")).unwrap();
        let plan = Plan::new(&BenchFlags::default(), 0).unwrap();
        let payments = Payments::new(&target, &plan);
        let request = payments.request(&OrderId::from_text("a:b-1 /é\r\n"), OURS);
        let text = String::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /orders/a:b-1%20%2F%C3%A9%0D%0A/pay HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        assert_eq!(body, format!(r#"{{"request_id":"{OURS}"}}"#));
    }

    #[test]
    fn answers_to_a_payment_are_understood() {
        let of = |http, body: &str| {
            let understood = understand_payment(http, body.as_bytes(), &order(1), OURS);
            understood.map(|(answer, _)| answer).map_err(|error| error.is_contradictory)
        };
        let rejected = |reason| format!(r#"{{"status":"rejected","reason":"{reason}"}}"#);
        assert_eq!(of(200, r#"{"status":"paid"}"#), Ok(PaymentAnswer::Paid));
        assert_eq!(of(409, &rejected("expired")), Ok(PaymentAnswer::Expired));
        assert_eq!(of(409, &rejected("cancelled")), Ok(PaymentAnswer::Cancelled));
        assert_eq!(of(404, &rejected("unknown_order")), Ok(PaymentAnswer::UnknownOrder));
        assert_eq!(of(503, &rejected("store_unavailable")), Ok(PaymentAnswer::Refused));
        assert_eq!(of(429, &rejected("rate_limited")), Ok(PaymentAnswer::Refused));
        for http in [400, 404, 405, 410, 413, 415, 422] {
            assert_eq!(of(http, &rejected("bad_request_id")), Err(true), "{http}");
        }
        assert_eq!(of(202, r#"{"status":"paid"}"#), Err(true));
        assert_eq!(of(409, &rejected("paid")), Err(true));
        assert_eq!(of(409, &rejected("sold_out")), Err(true));
        assert_eq!(of(200, r#"{"status":"cancelled"}"#), Err(true));
        let other = uuid::Uuid::from_u128(8);
        assert_eq!(of(200, &format!(r#"{{"status":"paid","request_id":"{other}"}}"#)), Err(true));
        for (http, body) in [(500, r#"{"status":"unknown"}"#), (503, "<html>"), (404, "<html>")] {
            assert_eq!(of(http, body), Err(false), "{http} {body}");
        }
    }

    #[test]
    fn order_that_was_not_paid_for_is_told() {
        let told = |key: &str| {
            let body = format!(r#"{{"status":"paid"{key}}}"#);
            understand_payment(200, body.as_bytes(), &order(1), OURS).unwrap()
        };
        let paid = |told| (PaymentAnswer::Paid, told);
        assert_eq!(told(r#","order_id":"tea-1-1""#), paid(None));
        assert_eq!(told(r#","order_id":"tea-1-2""#), paid(Some(order(2))));
        assert_eq!(told(r#","order_id":null"#), paid(Some(OrderId::untold())));
        assert_eq!(told(""), paid(Some(OrderId::untold())));
    }
}
