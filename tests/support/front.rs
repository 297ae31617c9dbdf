//! A TCP server in front of a Redis: it forwards, or behaves as a broken or another server would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// How the front treats its connections.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    Forward,
    /// Closes each connection.
    Close,
    /// Reads, and answers nothing.
    Silent,
    /// Forwards half of the first answer, and closes the connection.
    HalfAnswer,
    /// Answers each command with this text.
    Says(&'static str),
}

/// The front; it stops when dropped.
pub(crate) struct Front {
    port: u16,
    manner: watch::Sender<Manner>,
    /// Connections since the last change.
    connections: Arc<AtomicUsize>,
    accepting: AbortHandle,
}

impl Front {
    /// Starts to forward to the server at `address`.
    pub(crate) async fn of(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let manner = watch::Sender::new(Manner::Forward);
        let connections = Arc::new(AtomicUsize::new(0));
        let accepting = accept(listener, address, manner.subscribe(), Arc::clone(&connections));
        let accepting = tokio::spawn(accepting).abort_handle();
        Self { port, manner, connections, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Cuts all connections, and treats the next ones in this manner.
    pub(crate) fn change(&self, manner: Manner) {
        self.connections.store(0, Ordering::Relaxed);
        self.manner.send_replace(manner);
    }

    /// How many connections were opened since the last change.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    address: String,
    manner: watch::Receiver<Manner>,
    connections: Arc<AtomicUsize>,
) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::Relaxed);
        let (mut manner, address) = (manner.clone(), address.clone());
        tokio::spawn(async move {
            let present = *manner.borrow_and_update();
            // Ends with an error when the other side closes the connection.
            tokio::select! {
                _ = serve(client, &address, present) => {}
                _ = manner.changed() => {}
            }
        });
    }
}

async fn serve(mut client: TcpStream, address: &str, manner: Manner) -> std::io::Result<()> {
    let mut received = Vec::new();
    match manner {
        Manner::Close => {}
        Manner::Forward => {
            let mut server = TcpStream::connect(address).await?;
            copy_bidirectional(&mut client, &mut server).await?;
        }
        Manner::Silent => while client.read_buf(&mut received).await? > 0 {},
        Manner::Says(text) => {
            while client.read_buf(&mut received).await? > 0 {
                while let Some(len) = command_len(&received) {
                    received.drain(..len);
                    client.write_all(text.as_bytes()).await?;
                }
            }
        }
        Manner::HalfAnswer => {
            let mut server = TcpStream::connect(address).await?;
            client.read_buf(&mut received).await?;
            server.write_all(&received).await?;
            let mut answer = Vec::new();
            server.read_buf(&mut answer).await?;
            client.write_all(&answer[..answer.len() / 2]).await?;
        }
    }
    Ok(())
}

/// The length of the first command, if it is complete.
fn command_len(received: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut number = |skip: usize| -> Option<usize> {
        at += skip;
        let line = received.get(at..)?;
        let len = line.windows(2).position(|end| end == b"\r\n")?;
        at += len + 2;
        std::str::from_utf8(&line[1..len]).unwrap().parse().ok()
    };
    let mut skip = 0;
    for _ in 0..number(0)? {
        skip = number(skip)? + 2;
    }
    (at + skip <= received.len()).then_some(at + skip)
}
