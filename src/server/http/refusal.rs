//! Refusing a connection for which there is no slot.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::api::Refusal;

use super::super::answer::refused;
use super::connection::http;
use super::stream;

/// Answers the first request with a refusal, whatever it is, and closes; either takes at most
/// `timeout`. No handler sees the request, so it has no effect. A client that has sent no request
/// in time gets no answer.
pub(super) async fn refuse(stream: TcpStream, timeout: Duration) {
    let service = service_fn(|_: Request<Incoming>| {
        std::future::ready(Ok::<_, Infallible>(refused(Refusal::QueueFull).map(Full::new)))
    });
    let mut http = http();
    http.keep_alive(false);
    let mut connection = http.serve_connection(TokioIo::new(stream), service);
    if tokio::time::timeout(timeout, &mut connection).await.is_ok() {
        stream::close(connection.into_parts().io.into_inner(), timeout).await;
    }
}
