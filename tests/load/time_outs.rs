//! Time-outs are recorded as latencies: leaving them out would hide the worst of a server.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use seckill::history::Answered;
use socket2::{Domain, Socket, Type};

use super::run::load;
use crate::support::scripted::{Reply, Scripted};

/// On the edge of a histogram bucket, so that rounding does not shorten it.
const TIMEOUT_US: u64 = 256_000;

#[test]
fn missing_answer_is_recorded_with_the_full_time_out() {
    let server = Scripted::always(Reply::Hang);
    let run = load(&server.url(), "--threads 3 --loops 2 --timeout 256ms");
    assert_eq!((run.summary.total, run.ended("timeout"), run.summary.errors), (6, 6, 6));
    let (latency, corrected) = (&run.summary.latency, &run.summary.corrected);
    assert_eq!((latency.count, corrected.count), (6, 6));
    assert!(latency.min >= TIMEOUT_US && corrected.min >= TIMEOUT_US, "{latency:?}");
    assert_eq!(run.outcomes(), vec![Answered::Unknown; 6]);
    assert_eq!(run.summary.first_byte.count, 0);
    // The late answer could still arrive on the old connection.
    assert_eq!(server.connections(), 6);
}

#[test]
fn partial_answer_times_out() {
    let half = b"HTTP/1.1 410 Gone\r\nContent-Length: 41\r\n\r\n{\"status\":\"rej".to_vec();
    let server = Scripted::start(move |_| Reply::Bytes(half.clone()));
    let run = load(&server.url(), "--threads 2 --timeout 256ms");
    assert_eq!((run.summary.total, run.ended("timeout")), (2, 2));
    assert!(run.summary.latency.min >= TIMEOUT_US);
    assert_eq!((run.summary.first_byte.count, run.outcomes().len()), (2, 2));
}

#[test]
fn connect_time_out_is_recorded_and_has_no_effect() {
    // A listener with a full backlog: the kernel does not answer further connection requests.
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let knock = || TcpStream::connect_timeout(&address, Duration::from_millis(200));
    let queue: Vec<_> = std::iter::repeat_with(knock).take(20).map_while(Result::ok).collect();
    assert!(queue.len() < 20, "the backlog is never full");
    let flags = "--threads 2 --connect-timeout 256ms --retry 1 --retry-on connect";
    let run = load(&format!("http://{address}"), flags);
    assert_eq!((run.summary.total, run.ended("connect_timeout")), (4, 4));
    assert!(run.summary.latency.min >= TIMEOUT_US, "{:?}", run.summary.latency);
    assert_eq!((run.sent(), run.outcomes()), (2, vec![]), "a request was sent");
}
