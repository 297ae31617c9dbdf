//! What answers the requests of all connections: the routes, and plain purchases and requests for
//! results without a detour.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};

use super::address::Peer;
use super::app::{App, Step};
use super::body::{self, BODY_LEN_MAX};
use super::http::{Handler, Method, Plain, PlainAnswer, PlainRequest};
use super::purchase_request::{PlainPurchase, PurchaseRequest};
use super::request_head::is_host;
use super::result::ResultRequest;
use super::route::{Body, PURCHASES, route};
use super::{admission, at_once, draining};

/// A plain request apart from its bytes.
pub(super) enum PlainRoute {
    Purchase(PurchaseRequest),
    Result(ResultRequest),
}

/// Answers the requests of a server.
#[derive(Debug, Clone)]
pub(super) struct Requests(pub(super) Arc<App>);

impl Handler for Requests {
    type Body = Body;
    type Plain = PlainRoute;

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

    fn read_plain(&self, request: &PlainRequest<'_>) -> Plain<PlainRoute> {
        if !request.values("host").all(is_host) {
            return Plain::Other;
        }
        match request.method {
            Method::Post => self.read_post(request),
            Method::Get => match self.0.result {
                Step::Standard => ResultRequest::read(request.path)
                    .map_or(Plain::Other, |request| Plain::Waits(PlainRoute::Result(request))),
                Step::Replaced(_) => Plain::Other,
            },
        }
    }

    fn answer_plain(&self, plain: PlainRoute) -> PlainAnswer<'_> {
        let app = &*self.0;
        match plain {
            PlainRoute::Purchase(request) => Box::pin(async move {
                let is_draining = app.draining.has_begun();
                let response = admission::purchase(app, request, is_draining).await;
                draining::response(response, is_draining)
            }),
            PlainRoute::Result(request) => Box::pin(async move {
                let response = request.answer(app).await;
                draining::response(response, app.draining.has_begun())
            }),
        }
    }
}

impl Requests {
    fn read_post(&self, request: &PlainRequest<'_>) -> Plain<PlainRoute> {
        let Some(purchase) = read_purchase(&self.0, request) else { return Plain::Other };
        match at_once::refusal(&self.0, &purchase) {
            Some(refusal) => Plain::Refused(refusal),
            None => purchase
                .to_request()
                .map_or(Plain::Other, |request| Plain::Waits(PlainRoute::Purchase(request))),
        }
    }
}

/// Reads a purchase without fault. The route answers all others, which says what is wrong.
fn read_purchase<'a>(app: &App, request: &'a PlainRequest<'a>) -> Option<PlainPurchase<'a>> {
    let is_plain = request.path == PURCHASES
        && app.limits.address_rate.is_none()
        && request.values("content-type").take(1).all(body::is_json)
        && request.body.len() <= BODY_LEN_MAX;
    let purchase = is_plain.then(|| body::from_json(request.body).ok())??;
    PlainPurchase::read(request, purchase)
}
