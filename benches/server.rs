//! Compares accepted attempts per second with fsync with the same HTTP server returning a constant
//! answer. Both read requests in place.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use seckill::server::{
    Handler, Limits, Plain, PlainAnswer, PlainRequest, Timeouts, serve_connections,
};
use seckill::stats::Outcome;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const THREADS: u64 = 350;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let loops = if support::is_test() { 2 } else { 200 };
    let (mut accepting, mut constant) = (Vec::new(), Vec::new());
    for round in 0..support::ROUNDS as u64 {
        let runtime = seckill::server::runtime().unwrap();
        let data = folder.path().join(round.to_string());
        let summary = support::load(&start_sale(&runtime, &data), THREADS, loops, round);
        assert_eq!(summary.by_outcome, [(Outcome::Accepted, THREADS * loops)], "all were accepted");
        accepting.push(summary.per_second(summary.total));
        runtime.shutdown_background();

        let runtime = seckill::server::runtime().unwrap();
        let summary = support::load(&start_constant(&runtime), THREADS, loops, round);
        assert_eq!(summary.errors, 0);
        constant.push(summary.per_second(summary.total));
        runtime.shutdown_background();
    }
    let (accepting, constant) = (support::median(accepting), support::median(constant));
    figure!("answers per second, {THREADS} connections");
    figure!("  accepted, with fsync   {accepting:>9.0}");
    figure!("  a constant             {constant:>9.0}");
    figure!("  ratio                  {:>9.2}", accepting / constant);
}

fn start_sale(runtime: &Runtime, data: &Path) -> String {
    support::serve(runtime, support::config(data)).0
}

fn start_constant(runtime: &Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let limits = Limits {
        connections_max: 1_000,
        drain_timeout: std::time::Duration::from_secs(1),
        timeouts: Timeouts::default(),
    };
    runtime.spawn(serve_connections(listener, limits, Constant, std::future::pending()));
    url
}

/// Answers every request in the same way.
#[derive(Clone)]
struct Constant;

impl Handler for Constant {
    type Body = Full<Bytes>;
    type Plain = ();

    fn answer(
        &self,
        _: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send + 'static {
        read_and_answer(request)
    }

    fn read_plain(&self, _: &PlainRequest<'_>) -> Plain<()> {
        Plain::Waits(())
    }

    fn answer_plain(&self, (): ()) -> PlainAnswer<'_> {
        Box::pin(std::future::ready(answer()))
    }
}

async fn read_and_answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    // The body is read, as in the real server.
    let _: Result<_, Infallible> = Ok(request.into_body().collect().await);
    answer().map(Full::new)
}

fn answer() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(br#"{"status":"queued"}"#));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
