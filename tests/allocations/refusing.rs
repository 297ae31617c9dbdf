//! The server allocates nothing for an attempt at a sale that is sold out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use seckill::profile::{ServeFlags, ServePlan};
use seckill::server::Server;
use seckill::settings::Durability;
use seckill::units::Count;

use super::{REFUSED, Scope, allocations, exclusive};

const ATTEMPT: &str = "POST /seckill HTTP/1.1\r\nhost: x\r\nconnection: keep-alive\r\n\
    content-type: application/json\r\ncontent-length: 78\r\n\r\n\
    {\"uid\":\"ann\",\"request_id\":\"7c9e6679-7425-40de-944b-e07fc1f90ae7\",\"item\":\"tea\"}";

/// Starts a server on a thread of its own.
fn serve(data: &std::path::Path) -> SocketAddr {
    let flags = ServeFlags {
        listen: Some("127.0.0.1:0".into()),
        item: Some("tea".into()),
        stock: Some(Count(0)),
        durability: Some(Durability::None),
        data: Some(data.to_owned()),
        ..ServeFlags::default()
    };
    let plan = ServePlan::new(&flags, 1_000).unwrap();
    let runtime = seckill::server::runtime().unwrap();
    let server = runtime.block_on(Server::start(plan)).unwrap();
    let address = server.address();
    std::thread::spawn(move || runtime.block_on(server.run(std::future::pending())));
    address
}

/// Makes so many attempts, each of which must be refused.
fn attempt(stream: &mut TcpStream, count: usize) {
    let mut answer = [0; REFUSED.len()];
    for _ in 0..count {
        stream.write_all(ATTEMPT.as_bytes()).unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 410 Gone\r\n") && answer.ends_with(b"\"sold_out\"}"));
    }
}

#[test]
fn refusing_allocates_nothing_per_attempt() {
    let _exclusive = exclusive();
    let folder = tempfile::tempdir().unwrap();
    let mut stream = TcpStream::connect(serve(folder.path())).unwrap();
    stream.set_nodelay(true).unwrap();
    // What a connection and a thread need once is not counted.
    attempt(&mut stream, 200);
    let count = allocations(Scope::Process, || attempt(&mut stream, 5_000));
    // The date changes once a second, and the server's timers need something now and then.
    assert!(count < 500, "{count} allocations for 5,000 attempts");
}
