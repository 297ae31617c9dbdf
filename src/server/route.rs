//! [`route`]: from a request to its response, without a socket.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::answer::{json, rejected};
use super::app::{App, Step};
use super::body::{self, read_json};
use super::ledger::LedgerBody;
use super::purchase_request::{PurchaseHead, PurchaseRequest};
use super::{admin, admission, draining, orders, ready, request_head, result, tickets};

/// Where purchases are made.
pub(super) const PURCHASES: &str = "/seckill";

/// Where tickets of the waiting room are taken.
const TICKETS: &str = "/waiting-room/tickets";

/// Where the ledger is read.
const LEDGER: &str = "/admin/ledger";

/// A response body: bytes, or a ledger that is written while it is read.
pub type Body = Either<Full<Bytes>, LedgerBody>;

/// Answers one request. It never fails: every request gets a response. While the server is
/// shutting down, the response ends its connection.
pub async fn route<B>(app: &App, request: Request<B>) -> Response<Body>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let whole = |response: Response<Bytes>| response.map(|bytes| Either::Left(Full::new(bytes)));
    if let Err(response) = request_head::check(&request) {
        return whole(response);
    }
    // In boxes, so that a purchase has no room for the futures of all other requests.
    let (response, is_draining) = match (get_for_head(request.method()), request.uri().path()) {
        (&Method::POST, PURCHASES) => {
            let (response, draining) = purchase(app, request).await;
            (whole(response), draining)
        }
        (&Method::GET, LEDGER) => {
            let read = Box::pin(ledger(app, &request)).await;
            (read.unwrap_or_else(whole), app.draining.has_begun())
        }
        _ => (whole(Box::pin(other(app, request)).await), app.draining.has_begun()),
    };
    draining::response(response, is_draining)
}

/// To a HEAD the server gives a GET's head: hyper leaves the body out.
fn get_for_head(method: &Method) -> &Method {
    if method == Method::HEAD { &Method::GET } else { method }
}

async fn ledger<B>(app: &App, request: &Request<B>) -> Result<Response<Body>, Response<Bytes>> {
    app.admin_token.check(request.headers())?;
    let body = admin::ledger(app, request.uri().query()).await?;
    let mut response = Response::new(Either::Right(body));
    let ndjson = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, ndjson);
    Ok(response)
}

/// Answers a purchase, and returns whether the server was shutting down when its body had arrived.
async fn purchase<B>(app: &App, request: Request<B>) -> (Response<Bytes>, bool)
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let head = PurchaseHead::of(&request, app.limits.address_rate.as_ref());
    let body = body::read(request).await;
    let draining = app.draining.has_begun();
    let parse = |body: Bytes| {
        PurchaseRequest::parse(&body::from_json(&body).map_err(body::bad_body)?, head)
    };
    let response = match body.and_then(parse) {
        Ok(request) => admission::purchase(app, request, draining).await,
        Err(response) => response,
    };
    (response, draining)
}

async fn other<B>(app: &App, request: Request<B>) -> Response<Bytes>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let path = request.uri().path().to_owned();
    match (get_for_head(request.method()), path.as_str()) {
        (&Method::GET, result::SALE) => result::sale(app, request.uri().query()).await,
        (&Method::GET, path) if let Some(request_id) = path.strip_prefix(result::RESULTS) => {
            match app.result {
                Step::Standard => result::attempt(app, request_id, request.uri().query()).await,
                Step::Replaced(answer) => answer(app, request_id).await,
            }
        }
        (&Method::PUT, "/admin/sale") => match app.admin_token.check(request.headers()) {
            Ok(()) => match read_json(request).await {
                Ok(sale) => admin::open_sale(app, sale).await,
                Err(response) => response,
            },
            Err(response) => response,
        },
        (&Method::POST, TICKETS) if let Some(room) = &app.waiting_room => {
            let client = client_of(app, &request);
            match read_json(request).await {
                Ok(wanted) => tickets::take(app, room, wanted, client).await,
                Err(response) => response,
            }
        }
        (&Method::GET, path)
            if let Some(room) = &app.waiting_room
                && let Some(ticket) = ticket_in(path) =>
        {
            tickets::look(app, room, ticket, client_of(app, &request)).await
        }
        (&Method::POST, path) if let Some((order_id, ending)) = orders::of_path(path) => {
            match read_json(request).await {
                Ok(body) => orders::end(app, order_id, ending, body).await,
                Err(response) => response,
            }
        }
        (&Method::GET, "/healthz") => json(StatusCode::OK, &serde_json::json!({"status": "ok"})),
        (&Method::GET, "/readyz") => ready::ready(app).await,
        (_, path) => no_such_route(app, path),
    }
}

/// The client's address, if there is a limit for each address and this one is not exempt.
fn client_of<B>(app: &App, request: &Request<B>) -> Option<IpAddr> {
    app.limits.address_rate.as_ref().and_then(|limit| limit.client(request))
}

/// The ticket in the path of a request for its state.
fn ticket_in(path: &str) -> Option<&str> {
    path.strip_prefix(TICKETS)?.strip_prefix('/')
}

fn no_such_route(app: &App, path: &str) -> Response<Bytes> {
    let has_room = app.waiting_room.is_some();
    let allowed = match path {
        TICKETS if has_room => "POST",
        path if has_room && ticket_in(path).is_some() => "GET, HEAD",
        PURCHASES => "POST",
        "/admin/sale" => "PUT",
        result::SALE | LEDGER | "/healthz" | "/readyz" => "GET, HEAD",
        path if orders::of_path(path).is_some() => "POST",
        path if path.starts_with(result::RESULTS) => "GET, HEAD",
        _ => return rejected(StatusCode::NOT_FOUND, "no_such_path", "see the HTTP API"),
    };
    let message = format!("use {allowed}");
    let mut response = rejected(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
