//! A small HTTP server whose answers a test gives.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A running server, which ends with the test's runtime.
pub(super) struct Server {
    pub(super) url: String,
    /// The heads and bodies of the requests.
    pub(super) requests: Arc<Mutex<Vec<String>>>,
}

/// Starts a server that answers each request by its path and its number, with a status and a body.
pub(super) async fn start(
    answer: impl Fn(&str, usize) -> (u16, Vec<u8>) + Send + Sync + 'static,
) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !is_whole(&request) {
                let Ok(len @ 1..) = stream.read(&mut piece).await else { break };
                request.extend_from_slice(&piece[..len]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let number = {
                let mut kept = kept.lock().unwrap();
                kept.push(request);
                kept.len()
            };
            let (status, body) = answer(&path, number);
            let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
    });
    Server { url, requests }
}

/// Whether a request has its head, and as much body as it says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let len = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    len.is_none_or(|len| body.len() >= len.parse().unwrap())
}
