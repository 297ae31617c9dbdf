//! Clients that cost a server more than they should.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};

/// A request whose answer is longer than itself.
const REQUEST: &[u8] = b"GET /result HTTP/1.1\r\nhost: x\r\n\r\n";

/// The pause of a slow client between two bytes.
const PAUSE: Duration = Duration::from_secs(1);

/// What a client does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// It makes one request, and stays.
    Idle,
    /// It sends requests and reads no answer.
    NeverReading,
    /// It sends requests, and reads an answer byte by byte.
    SlowReading,
    /// It sends a request byte by byte.
    SlowSending,
}

/// Clients of one kind, which disconnect when this is dropped.
pub(crate) struct Hostile {
    connected: Arc<AtomicU64>,
    /// Ends its tasks when it is dropped.
    _runtime: Runtime,
}

impl Hostile {
    /// Starts as many clients, and waits until each has been connected once.
    pub(crate) fn start(address: SocketAddr, kind: Kind, count: usize, timeout: Duration) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let connected = Arc::new(AtomicU64::new(0));
        for _ in 0..count {
            let connected = Arc::clone(&connected);
            runtime.spawn(async move {
                loop {
                    if attack(address, kind, &connected).await.is_err() {
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            });
        }
        let deadline = Instant::now() + timeout;
        while connected.load(Ordering::Relaxed) < count as u64 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { connected, _runtime: runtime }
    }

    /// How often a client has connected.
    pub(crate) fn connected(&self) -> u64 {
        self.connected.load(Ordering::Relaxed)
    }
}

/// Keeps one connection until the server ends it.
async fn attack(address: SocketAddr, kind: Kind, connected: &AtomicU64) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // What is sent then waits in the buffers of the server, not in those of this process.
    socket.set_recv_buffer_size(4096)?;
    socket.set_send_buffer_size(4096)?;
    let mut stream = socket.connect(address).await?;
    if !matches!(kind, Kind::SlowSending) {
        stream.write_all(REQUEST).await?;
    }
    let mut buffer = [0; 4096];
    if let Kind::Idle = kind {
        stream.read_u8().await?;
        connected.fetch_add(1, Ordering::Relaxed);
        while stream.read(&mut buffer).await? > 0 {}
        return Ok(());
    }
    connected.fetch_add(1, Ordering::Relaxed);
    if let Kind::SlowSending = kind {
        for byte in REQUEST.iter().cycle() {
            tokio::time::sleep(PAUSE).await;
            stream.write_all(std::slice::from_ref(byte)).await?;
        }
    }
    let (mut reading, mut writing) = stream.split();
    let read = async {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Kind::SlowReading = kind {
                reading.read_exact(&mut buffer[..1]).await?;
            }
        }
    };
    let write = async {
        loop {
            writing.write_all(REQUEST).await?;
        }
    };
    tokio::select! {
        ended = read => ended,
        ended = write => ended,
    }
}
