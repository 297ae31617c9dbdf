//! Admin: opening a sale, reading the ledger. Only with the token; the caller's address counts
//! for nothing, since behind a proxy every caller is local.

use std::collections::HashSet;

use http_body_util::Either;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use subtle::ConstantTimeEq;

use crate::api::OpenSale;
use crate::sale::Terms;
use crate::secret::Secret;
use crate::units::Moment;

use super::answer::{self, Body, json, rejected};
use super::ledger::LedgerBody;
use super::route::query_value;
use super::{App, result, waiting};

/// The secret that makes an admin; an empty one lets nobody in.
#[derive(Debug)]
pub struct AdminToken(Secret);

impl AdminToken {
    /// What has to be sent.
    pub fn new(token: Secret) -> Self {
        Self(token)
    }

    fn is(&self, given: &[u8]) -> bool {
        let Self(Secret(token)) = self;
        !token.is_empty() && bool::from(given.ct_eq(token.as_bytes()))
    }

    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Response<Body>> {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        // The scheme's case does not matter (RFC 9110, section 11.1).
        let token = given.and_then(|given| given.split_at_checked(b"Bearer ".len()));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "));
        match token.map(|(_, token)| token) {
            None => {
                let message = "send Authorization: Bearer <token>";
                let mut response = rejected(StatusCode::UNAUTHORIZED, "no_token", message);
                let bearer = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
                Err(response)
            }
            Some(given) if self.is(given) => Ok(()),
            Some(_) => {
                let message = "this is not the server's admin token";
                Err(rejected(StatusCode::FORBIDDEN, "wrong_token", message))
            }
        }
    }
}

/// Answers `PUT /admin/sale`.
pub(super) async fn open_sale(app: &App, sale: OpenSale) -> Response<Body> {
    let terms = match terms(&sale, app.per_buyer) {
        Ok(terms) => terms,
        Err(message) => return rejected(StatusCode::BAD_REQUEST, "bad_sale", message),
    };
    if app.draining.has_started() {
        return answer::refused(crate::api::Refusal::Draining);
    }
    match app.store.open_sale(terms).await {
        Ok(view) => {
            tracing::info!(item = %view.terms.item, stock = view.terms.stock, "sale opened");
            let item = view.terms.item.as_str();
            let body = serde_json::json!({
                "status": "opened", "item": item, "epoch": view.epoch,
                "stock": view.terms.stock, "per_buyer": view.terms.per_buyer,
            });
            json(StatusCode::OK, &body)
        }
        Err(error) => answer::store_error(&error),
    }
}

fn terms(sale: &OpenSale, per_buyer: u32) -> Result<Terms, String> {
    let moment = |name: &str, text: &Option<String>| match text {
        Some(text) => {
            let moment = text.parse::<Moment>().map_err(|error| format!("{name}: {error}"))?;
            Ok::<_, String>(Some(moment.0))
        }
        None => Ok(None),
    };
    let terms = Terms {
        item: sale.item.parse().map_err(|error| format!("item {error}"))?,
        stock: sale.stock,
        per_buyer: sale.per_buyer.unwrap_or(per_buyer),
        opens_us: moment("opens_at", &sale.opens_at)?,
        closes_us: moment("closes_at", &sale.closes_at)?,
    };
    terms.check()?;
    Ok(terms)
}

/// Answers `GET /admin/ledger`.
pub(super) async fn ledger(app: &App, query: Option<&str>) -> Response<Body> {
    let epoch = match query_value(query, "epoch").map(|epoch| epoch.parse()) {
        Some(Ok(epoch)) => epoch,
        Some(Err(_)) => {
            let message = "epoch is a whole number, as in the ledger's first line";
            return rejected(StatusCode::BAD_REQUEST, "bad_epoch", message);
        }
        None => match result::present_sale(app, query).await {
            Ok(sale) => sale.epoch,
            Err(response) => return response,
        },
    };
    // First the queue, then the store: what was decided in between is in both, and never in none.
    let waiting = waiting::of_sale(app, epoch).await;
    let ledger = app.store.ledger(epoch).await;
    let (mut waiting, ledger) = match waiting.and_then(|waiting| Ok((waiting, ledger?))) {
        Ok(both) => both,
        Err(error) => return answer::store_error(&error),
    };
    let decided: HashSet<_> = ledger.decided.iter().map(|d| d.attempt.request_id).collect();
    waiting.retain(|attempt| !decided.contains(&attempt.request_id));
    let mut response = Response::new(Either::Right(LedgerBody::new(ledger, waiting)));
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, ndjson);
    response
}
