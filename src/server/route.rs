//! [`route`]: from a request to its response, without a socket.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::de::DeserializeOwned;

use super::answer::{Body, json, rejected};
use super::{App, admin, admission, global_result, ready, result};

/// Longest request body, in bytes: an order is under 250, a sale under 300.
pub(super) const BODY_LEN_MAX: usize = 4096;

/// How long a body may take to arrive after its head.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What is told of an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Results {
    /// What became of it.
    #[default]
    OfAttempt,
    /// How the sale stands: a flaw.
    OfSale,
}

/// Answers one request. Never fails: whatever comes in, an answer goes out.
pub async fn route<B>(app: &App, request: Request<B>) -> Response<Body>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = request.uri().path().to_owned();
    // To a HEAD the server gives a GET's head: hyper leaves the body out.
    let method = match request.method() {
        &Method::HEAD => &Method::GET,
        method => method,
    };
    match (method, path.as_str()) {
        (&Method::POST, "/seckill") => {
            let keys = request.headers().get_all("idempotency-key");
            let keys: Vec<_> = keys.iter().cloned().collect();
            match read_json(request).await {
                Ok(purchase) => admission::purchase(app, purchase, &keys).await,
                Err(response) => response,
            }
        }
        (&Method::GET, "/result") => result::sale(app, request.uri().query()).await,
        (&Method::GET, path) if let Some(request_id) = path.strip_prefix("/result/") => {
            match app.results {
                Results::OfAttempt => result::attempt(app, request_id, request.uri().query()).await,
                Results::OfSale => global_result::attempt(app, request_id).await,
            }
        }
        (&Method::PUT, "/admin/sale") => match app.admin_token.check(request.headers()) {
            Ok(()) => match read_json(request).await {
                Ok(sale) => admin::open_sale(app, sale).await,
                Err(response) => response,
            },
            Err(response) => response,
        },
        (&Method::GET, "/admin/ledger") => match app.admin_token.check(request.headers()) {
            Ok(()) => admin::ledger(app, request.uri().query()).await,
            Err(response) => response,
        },
        (&Method::GET, "/healthz") => json(StatusCode::OK, &serde_json::json!({"status": "ok"})),
        (&Method::GET, "/readyz") => ready::ready(app).await,
        (_, path) => no_such_route(path),
    }
}

/// The value of one query parameter, decoded; the first of several.
pub(super) fn query_value<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

fn no_such_route(path: &str) -> Response<Body> {
    let allowed = match path {
        "/seckill" => "POST",
        "/admin/sale" => "PUT",
        "/result" | "/admin/ledger" | "/healthz" | "/readyz" => "GET, HEAD",
        path if path.starts_with("/result/") => "GET, HEAD",
        _ => return rejected(StatusCode::NOT_FOUND, "no_such_path", "see the HTTP API"),
    };
    let message = format!("use {allowed}");
    let mut response = rejected(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

async fn read_json<B, T>(request: Request<B>) -> Result<T, Response<Body>>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    T: DeserializeOwned,
{
    let headers = request.headers();
    let too_large = || {
        let message = format!("a body has at most {BODY_LEN_MAX} bytes");
        rejected(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    if let Some(content_type) = headers.get(CONTENT_TYPE)
        && !is_json(content_type)
    {
        let message = "send Content-Type: application/json";
        return Err(rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
    if announced.is_some_and(|len: usize| len > BODY_LEN_MAX) {
        return Err(too_large());
    }
    let body = std::pin::pin!(Limited::new(request.into_body(), BODY_LEN_MAX).collect());
    let bad = |reason, message: String| rejected(StatusCode::BAD_REQUEST, reason, message);
    let bytes = match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(too_large());
        }
        Ok(Err(_)) => return Err(bad("body_incomplete", "the body ended early".into())),
        Err(_) => return Err(bad("body_too_slow", format!("it took over {BODY_TIMEOUT:?}"))),
    };
    // An array would do for serde, with the fields in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(bad("bad_body", "the body must be a JSON object".into()));
    }
    serde_json::from_slice(&bytes).map_err(|error| bad("bad_body", error.to_string()))
}

fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}
