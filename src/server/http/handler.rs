//! What answers the requests of all connections.

use std::error::Error;
use std::net::IpAddr;
use std::pin::Pin;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};

use crate::api::Refusal;

use super::plain_request::PlainRequest;

/// Answers requests.
pub trait Handler: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Body: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin + Send + 'static;

    /// What is kept of a plain request until it is answered.
    type Plain: Send;

    /// Answers the request of a client with this address.
    fn answer(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Self::Body>> + Send + 'static;

    /// Reads a request that hyper need not read, if this is one.
    fn read_plain(&self, request: &PlainRequest<'_>) -> Plain<Self::Plain>;

    /// Answers a plain request that was not refused. The answer is in a box, for which a connection
    /// has room only while it waits for it.
    fn answer_plain(&self, plain: Self::Plain) -> PlainAnswer<'_>;
}

/// The answer to a plain request.
pub type PlainAnswer<'a> = Pin<Box<dyn Future<Output = Response<Bytes>> + Send + 'a>>;

/// What becomes of a request that was read in place.
#[derive(Debug)]
pub enum Plain<P> {
    /// It is refused, for a reason whose answer is always the same.
    Refused(Refusal),
    /// Its answer has to be waited for.
    Waits(P),
    /// hyper has to read it.
    Other,
}

/// A function that answers, and reads no plain requests.
impl<H, F, B> Handler for H
where
    H: Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin + Send + 'static,
{
    type Body = B;
    type Plain = std::convert::Infallible;

    fn answer(
        &self,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<B>> + Send + 'static {
        self(peer, request)
    }

    fn read_plain(&self, _: &PlainRequest<'_>) -> Plain<Self::Plain> {
        Plain::Other
    }

    fn answer_plain(&self, plain: Self::Plain) -> PlainAnswer<'_> {
        match plain {}
    }
}
