//! What answers the requests of all connections: the routes, and plain purchases without a detour.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Request, Response};

use super::address::Peer;
use super::app::App;
use super::body::{self, BODY_LEN_MAX};
use super::http::{Handler, Plain, PlainRequest};
use super::purchase_request::{PlainPurchase, PurchaseRequest};
use super::request_head::is_host;
use super::route::{Body, PURCHASES, route};
use super::{admission, at_once};

/// Answers the requests of a server.
#[derive(Debug, Clone)]
pub(super) struct Requests(pub(super) Arc<App>);

impl Handler for Requests {
    type Body = Body;
    type Plain = PurchaseRequest;

    fn answer(
        &self,
        peer: IpAddr,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send + 'static {
        let app = Arc::clone(&self.0);
        // Only then, since an extension costs each request some allocations.
        if app.limits.address_rate.is_some() {
            request.extensions_mut().insert(Peer(peer));
        }
        async move { route(&app, request).await }
    }

    fn read_plain(&self, request: &PlainRequest<'_>) -> Plain<PurchaseRequest> {
        let Some(purchase) = read_purchase(&self.0, request) else { return Plain::Other };
        match at_once::refusal(&self.0, &purchase) {
            Some(refusal) => Plain::Refused(refusal),
            None => purchase.to_request().map_or(Plain::Other, Plain::Waits),
        }
    }

    async fn answer_plain(&self, request: PurchaseRequest) -> Response<Bytes> {
        let draining = self.0.draining.has_begun();
        let mut response = admission::purchase(&self.0, request, draining).await;
        if draining {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Reads a purchase without fault. The route answers all others, which says what is wrong.
fn read_purchase<'a>(app: &App, request: &'a PlainRequest<'a>) -> Option<PlainPurchase<'a>> {
    let is_plain = request.path == PURCHASES
        && app.limits.address_rate.is_none()
        && request.values("host").all(is_host)
        && request.values("content-type").take(1).all(body::is_json)
        && request.body.len() <= BODY_LEN_MAX;
    let purchase = is_plain.then(|| body::from_json(request.body).ok())??;
    PlainPurchase::read(request, purchase)
}
