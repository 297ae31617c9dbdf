//! Checks of a request's head that apply to every path.

use bytes::Bytes;
use hyper::header::{CONNECTION, HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::{Request, Response, StatusCode, Version};

use super::answer::rejected;
use super::http::AmbiguousLength;

/// Checks a head; the error is the response that rejects it and ends the connection: where such a
/// request ends, or for whom it is, may be understood differently by a proxy.
pub(super) fn check<B>(request: &Request<B>) -> Result<(), Response<Bytes>> {
    let Some(message) = fault(request) else { return Ok(()) };
    let mut response = rejected(StatusCode::BAD_REQUEST, "bad_head", message);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    Err(response)
}

fn fault<B>(request: &Request<B>) -> Option<&'static str> {
    if request.extensions().get::<AmbiguousLength>().is_some() {
        return Some("send one Content-Length, or a Transfer-Encoding");
    }
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|coding| !is_chunked(coding)) || codings.next().is_some() {
        return Some("the only Transfer-Encoding is chunked");
    }
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if !is_host(host.as_bytes()) => Some("the Host is no name and port"),
        (Some(_), Some(_)) => Some("send one Host"),
        (None, _) if request.version() >= Version::HTTP_11 => Some("send a Host"),
        _ => None,
    }
}

/// Whether this is a `Host` of RFC 9112, section 3.2: a name or an address, and a port. It may be
/// empty.
pub(super) fn is_host(host: &[u8]) -> bool {
    let (is_name, port) = match host.strip_prefix(b"[") {
        Some(address) => {
            let Some(end) = address.iter().position(|byte| *byte == b']') else { return false };
            let is_address = |byte: &u8| byte.is_ascii_hexdigit() || b":.".contains(byte);
            (address[..end].iter().all(is_address), &address[end + 1..])
        }
        None => {
            let end = host.iter().position(|byte| *byte == b':').unwrap_or(host.len());
            let is_letter =
                |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(byte);
            (host[..end].iter().all(is_letter), &host[end..])
        }
    };
    let is_port = |port: &[u8]| port.iter().all(u8::is_ascii_digit);
    is_name && (port.is_empty() || port.strip_prefix(b":").is_some_and(is_port))
}
