//! Whether the server has begun to shut down.

use std::sync::atomic::{AtomicBool, Ordering};

use hyper::Response;
use hyper::header::{CONNECTION, HeaderValue};
use tokio_util::sync::CancellationToken;

/// From its beginning on no attempt is accepted, and held requests are answered. Each request asks
/// whether it has begun, which takes no lock, as asking the token would.
#[derive(Debug, Default)]
pub struct Draining {
    has_begun: AtomicBool,
    token: CancellationToken,
}

impl Draining {
    /// Begins it.
    pub fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
        self.token.cancel();
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    /// Resolves when it has begun.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }
}

/// A response, after which its connection ends if the server is draining.
pub(super) fn response<B>(mut response: Response<B>, is_draining: bool) -> Response<B> {
    if is_draining {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
