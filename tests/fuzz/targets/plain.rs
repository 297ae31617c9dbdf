//! Requests that the server may read in place, beside the same bytes read by hyper.

use std::time::Duration;

use seckill::profile::ServePlan;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use super::server::{self, Fuzzed};

/// After a request that is not plain, hyper reads what comes next.
const OTHER: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// Shows whether the connection is open, and where the server expects the next request.
const LAST: &[u8] = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// After this long without a further byte, the server waits for the client.
const QUIET: Duration = Duration::from_millis(3);

/// Fields whose values need not be the same.
const CHANGING: [&str; 2] = ["\r\ndate: ", "\r\nretry-after: "];

/// Of a head that is too long and has a fault, hyper names what it finds first, which depends on
/// how much it reads at a time.
const TOO_LONG: &str = "431 Request Header Fields Too Large";
const FAULTY: &str = "400 Bad Request";

const UUID_LEN: usize = 36;

/// Servers at which the same request always has the same answer.
struct Servers {
    runtime: Runtime,
    all: [Fuzzed; 3],
}

thread_local! {
    static SERVERS: Servers = Servers::start();
}

impl Servers {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        // Without a consumer, what is accepted stays queued.
        let selling = |plan: &mut ServePlan| plan.consumers = 0;
        let sold_out = |plan: &mut ServePlan| plan.stock = 0;
        let closed = |plan: &mut ServePlan| plan.closes_us = Some(1);
        let all = [
            Fuzzed::start(&runtime, selling),
            Fuzzed::start(&runtime, sold_out),
            Fuzzed::start(&runtime, closed),
        ];
        Self { runtime, all }
    }
}

/// All that is answered to these pieces, and whether the connection goes on after them.
async fn answers(server: &Fuzzed, by_hyper: bool, pieces: &[&[u8]]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = Vec::new();
    if by_hyper {
        stream.write_all(OTHER).await.unwrap();
        while !answers.ends_with(b"}") {
            stream.read_buf(&mut answers).await.unwrap();
        }
        answers.clear();
    }
    for piece in pieces.iter().chain([&LAST]) {
        // The server may have closed the connection.
        let _ = stream.write_all(piece).await;
        read_until_quiet(&mut stream, &mut answers).await;
    }
    let _ = stream.shutdown().await;
    // A reset ends it, too.
    let _ = stream.read_to_end(&mut answers).await;
    answers
}

async fn read_until_quiet(stream: &mut TcpStream, answers: &mut Vec<u8>) {
    while let Ok(Ok(1..)) = tokio::time::timeout(QUIET, stream.read_buf(answers)).await {}
}

/// An answer without what may differ from connection to connection: values of some fields, and ids
/// that the server has chosen.
fn comparable(answers: &[u8], sent: &[u8]) -> String {
    let (text, sent) = (String::from_utf8_lossy(answers), String::from_utf8_lossy(sent));
    let mut text = text.replace(TOO_LONG, FAULTY);
    for field in CHANGING {
        let parts = text.split(field).enumerate();
        let parts = parts.map(|(number, part)| match (number, part.split_once("\r\n")) {
            (1.., Some((_, rest))) => format!("...\r\n{rest}"),
            _ => part.to_owned(),
        });
        text = parts.collect::<Vec<_>>().join(field);
    }
    let is_chosen = |id: &str| {
        uuid::Uuid::try_parse(id).is_ok() && !sent.to_lowercase().contains(&id.to_lowercase())
    };
    let ids = (0..text.len()).filter_map(|at| text.get(at..at + UUID_LEN));
    let chosen: Vec<_> = ids.filter(|id| is_chosen(id)).map(str::to_owned).collect();
    chosen.iter().fold(text, |text, id| text.replace(id, "..."))
}

/// The bytes cut behind each brace, and at a place that depends on the bytes alone.
fn cut(bytes: &[u8]) -> Vec<&[u8]> {
    let hash = |hash: usize, byte: &u8| hash.wrapping_mul(31).wrapping_add(usize::from(*byte));
    let (before, after) = bytes.split_at(bytes.iter().fold(0, hash) % (bytes.len() + 1));
    let ends = |part| <[u8]>::split_inclusive(part, |byte| *byte == b'}');
    ends(before).chain(ends(after)).take(16).collect()
}

/// Each server answers the same, whoever reads the request, and in whatever pieces it arrives.
pub(crate) fn run(bytes: &[u8]) {
    let cut = cut(bytes);
    let sent = cut.concat();
    let whole = [&*sent];
    SERVERS.with(|servers| {
        for server in &servers.all {
            let answers = servers.runtime.block_on(async {
                tokio::join!(
                    answers(server, true, &whole),
                    answers(server, false, &whole),
                    answers(server, true, &cut),
                    answers(server, false, &cut),
                )
            });
            let same = |by_hyper: &[u8], in_place: &[u8], how| {
                assert_eq!(comparable(by_hyper, &sent), comparable(in_place, &sent), "{how}");
            };
            same(&answers.0, &answers.1, "in one piece");
            same(&answers.2, &answers.3, "in pieces");
        }
    });
    server::assert_no_panic();
}
