//! A TCP server in front of a broker, which can change the broker's confirms.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// What becomes of a confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Confirms {
    Pass,
    /// It says that the message was not taken, although it was.
    Negated,
    /// It never arrives.
    Lost,
}

/// The front; it stops when dropped.
pub(crate) struct AmqpFront {
    port: u16,
    confirms: Arc<AtomicU8>,
    accepting: AbortHandle,
}

impl AmqpFront {
    /// In front of the broker at this address, such as `amqp://127.0.0.1:5672`.
    pub(crate) async fn of(url: &str) -> Self {
        let broker = url.strip_prefix("amqp://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let confirms = Arc::new(AtomicU8::new(Confirms::Pass as u8));
        let state = Arc::clone(&confirms);
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&broker).await.unwrap();
                tokio::spawn(pass(near, far, Arc::clone(&state)));
            }
        });
        Self { port, confirms, accepting: accepting.abort_handle() }
    }

    pub(crate) fn url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.port)
    }

    /// What becomes of the confirms from now on.
    pub(crate) fn change(&self, confirms: Confirms) {
        self.confirms.store(confirms as u8, Ordering::Relaxed);
    }
}

impl Drop for AmqpFront {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Passes both directions on until one of them ends.
async fn pass(near: TcpStream, far: TcpStream, confirms: Arc<AtomicU8>) {
    let (mut near_reading, near_writing) = near.into_split();
    let (far_reading, mut far_writing) = far.into_split();
    tokio::select! {
        _ = copy(&mut near_reading, &mut far_writing) => {}
        _ = pass_frames(far_reading, near_writing, &confirms) => {}
    }
}

/// The header of a frame: its type, its channel, and the length of its payload.
const HEADER_LEN: usize = 7;

/// A frame with a method, and the beginnings of the payloads of `basic.ack` and `basic.nack`, which
/// have the same form.
const METHOD: u8 = 1;
const ACK: [u8; 4] = [0, 60, 0, 80];
const NACK: [u8; 4] = [0, 60, 0, 120];

/// Passes the broker's frames on.
async fn pass_frames(
    mut broker: impl AsyncReadExt + Unpin,
    mut client: impl AsyncWriteExt + Unpin,
    confirms: &AtomicU8,
) -> std::io::Result<()> {
    loop {
        let mut frame = vec![0; HEADER_LEN];
        broker.read_exact(&mut frame).await?;
        let len = u32::from_be_bytes(frame[3..HEADER_LEN].try_into().unwrap()) as usize;
        // The payload, and the byte that ends a frame.
        frame.resize(HEADER_LEN + len + 1, 0);
        broker.read_exact(&mut frame[HEADER_LEN..]).await?;
        let confirms = confirms.load(Ordering::Relaxed);
        if frame[0] == METHOD && frame[HEADER_LEN..].starts_with(&ACK) {
            if confirms == Confirms::Lost as u8 {
                continue;
            }
            if confirms == Confirms::Negated as u8 {
                frame[HEADER_LEN..HEADER_LEN + NACK.len()].copy_from_slice(&NACK);
            }
        }
        client.write_all(&frame).await?;
    }
}
