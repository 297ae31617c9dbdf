//! Reading a request's JSON body, within a limit of length and of time.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::rejected;

/// Longest request body, in bytes: an order is under 250, a sale under 300.
pub(super) const BODY_LEN_MAX: usize = 4096;

/// How long a body may take to arrive after its head.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body as JSON; the error is the response that rejects it.
pub(super) async fn read_json<B, T>(request: Request<B>) -> Result<T, Response<Bytes>>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    T: DeserializeOwned,
{
    from_json(&read(request).await?).map_err(bad_body)
}

/// The rejection of a body that cannot be read as JSON for this reason.
pub(super) fn bad_body(message: String) -> Response<Bytes> {
    rejected(StatusCode::BAD_REQUEST, "bad_body", message)
}

/// Reads a body that is to be JSON; the error is the response that rejects it.
pub(super) async fn read<B>(request: Request<B>) -> Result<Bytes, Response<Bytes>>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let headers = request.headers();
    let too_large = || {
        let message = format!("a body has at most {BODY_LEN_MAX} bytes");
        rejected(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    if let Some(content_type) = headers.get(CONTENT_TYPE)
        && !is_json(content_type.as_bytes())
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
    match tokio::time::timeout(BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if is_too_long(&*error) => Err(too_large()),
        Ok(Err(_)) => Err(bad("body_incomplete", "the body ended early".into())),
        Err(_) => Err(bad("body_too_slow", format!("it took over {BODY_TIMEOUT:?}"))),
    }
}

/// Reads a whole body as JSON.
///
/// # Errors
/// Says why it cannot be read.
pub(super) fn from_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    // An array would do for serde, with the fields in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err("the body must be a JSON object".into());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// Whether a body was not read to its end because it is over the limit, or a chunk of it announces
/// that it will be.
fn is_too_long(error: &(dyn Error + 'static)) -> bool {
    let io = |error: &(dyn Error + 'static)| {
        error.downcast_ref::<io::Error>().map(io::Error::kind) == Some(io::ErrorKind::FileTooLarge)
    };
    error.is::<http_body_util::LengthLimitError>()
        || std::iter::successors(Some(error), |error| (*error).source()).any(io)
}

/// Whether a `Content-Type` is that of JSON.
pub(super) fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}
