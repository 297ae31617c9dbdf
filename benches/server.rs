//! Accepted attempts per second with fsync, against the same server answering a constant.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::convert::Infallible;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use seckill::server::{Config, Limits, Server, serve_connections};
use seckill::units::Durability;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const THREADS: u64 = 350;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let loops = if support::is_test() { 2 } else { 200 };
    let (mut accepting, mut constant) = (Vec::new(), Vec::new());
    for round in 0..support::ROUNDS as u64 {
        let runtime = runtime();
        let data = folder.path().join(round.to_string());
        let summary = support::load(&start_sale(&runtime, &data), THREADS, loops, round);
        assert_eq!(summary.by_outcome, [("queued", THREADS * loops)], "all were accepted");
        accepting.push(summary.per_second(summary.total));
        runtime.shutdown_background();

        let runtime = self::runtime();
        let summary = support::load(&start_constant(&runtime), THREADS, loops, round);
        assert_eq!(summary.errors, 0);
        constant.push(summary.per_second(summary.total));
        runtime.shutdown_background();
    }
    let (accepting, constant) = (support::median(accepting), support::median(constant));
    println!("answers per second, {THREADS} connections");
    println!("  accepted, with fsync   {accepting:>9.0}");
    println!("  a constant             {constant:>9.0}");
    println!("  ratio                  {:>9.2}", accepting / constant);
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn start_sale(runtime: &Runtime, data: &Path) -> String {
    let config = Config {
        listen: "127.0.0.1:0".into(),
        data: data.to_owned(),
        durability: Durability::Fsync,
        queue: seckill::server::QueueAt::Embedded,
        store: seckill::server::StoreAt::Embedded,
        accepts: true,
        consumers: 1,
        prefetch: 256,
        queue_max: 1_000_000,
        connections_max: 1_000,
        rate_limit: None,
        admin_token: Some(seckill::units::Secret("token".into())),
        sale: seckill::sale::Terms {
            item: "default".parse().unwrap(),
            stock: u32::MAX,
            per_buyer: 1,
            opens_us: None,
            closes_us: None,
        },
        fresh_sale: false,
        flaws: Default::default(),
        blind: false,
    };
    let server = runtime.block_on(Server::start(config)).unwrap();
    let url = format!("http://{}", server.address());
    runtime.spawn(server.run(std::future::pending()));
    url
}

fn start_constant(runtime: &Runtime) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let limits =
        Limits { connections_max: 1_000, drain_timeout: std::time::Duration::from_secs(1) };
    runtime.spawn(serve_connections(listener, limits, answer, std::future::pending()));
    url
}

async fn answer(request: Request<Incoming>) -> Response<Full<Bytes>> {
    // Read as the real one does.
    let _: Result<_, Infallible> = Ok(request.into_body().collect().await);
    let body = r#"{"status":"queued"}"#;
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
