//! The routes, with any method, path, head and body.

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use seckill::server::route;

use super::server;

/// What the API may answer.
const STATUSES: [u16; 16] =
    [200, 202, 204, 400, 401, 403, 404, 405, 409, 410, 413, 414, 415, 422, 429, 503];

/// The request that the bytes are: a line, fields, an empty line and a body.
fn request(bytes: &[u8]) -> Option<Request<Full<Bytes>>> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let (method, path) = (words.next()?, words.next()?);
    let mut request = Request::builder().method(method).uri(path);
    let mut read = method.len() + path.len() + 2;
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':')?;
        request = request.header(&line[..colon], line[colon + 1..].trim_ascii());
        read += line.len() + 1;
    }
    let body = bytes.get(read + 1..).unwrap_or_default();
    request.body(Full::new(Bytes::copy_from_slice(body))).ok()
}

/// Every request gets an answer of the API.
pub(crate) fn run(bytes: &[u8]) {
    let Some(request) = request(bytes) else { return };
    server::with(|server| {
        server.runtime.block_on(async {
            let response = route(&server.app, request).await;
            let status = response.status().as_u16();
            assert!(STATUSES.contains(&status), "{status}");
            response.into_body().collect().await.unwrap();
        });
    });
}
