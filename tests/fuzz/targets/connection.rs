//! A real connection to the server, with any bytes, in pieces.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{pieces, server};

const HEALTHZ: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

/// All that the server answers to these pieces until it closes the connection.
async fn answers<'a>(
    address: std::net::SocketAddr,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let write = async {
        for piece in pieces {
            // The server may have closed the connection.
            if writing.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let _ = writing.shutdown().await;
    };
    let mut answers = Vec::new();
    // A reset ends it, too.
    let (_, _) = tokio::join!(write, reading.read_to_end(&mut answers));
    answers
}

/// What is answered is HTTP, and the server goes on to serve others.
pub(crate) fn run(bytes: &[u8]) {
    server::with(|server| {
        server.runtime.block_on(async {
            let answered = answers(server.address, pieces(bytes)).await;
            let is_http = answered.is_empty() || answered.starts_with(b"HTTP/1.");
            assert!(is_http, "{}", String::from_utf8_lossy(&answered));
            let healthy = answers(server.address, std::iter::once(HEALTHZ)).await;
            assert!(healthy.starts_with(b"HTTP/1.1 200 "), "{healthy:?}");
        });
    });
}
