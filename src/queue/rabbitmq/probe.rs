//! Whether a broker answers, before the AMQP client is told to connect to it.
//!
//! The client cannot be stopped while it connects: each attempt at a broker that hangs would keep a
//! thread and a socket for as long as the broker hangs. A probe ends with its time limit.

use std::io;
use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a broker may take to answer: a few round trips to the other end of the world.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The first bytes of an AMQP 0-9-1 client. A broker that serves answers with a frame.
const PROTOCOL_HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// Whether a broker answers at this address. With TLS, only whether it takes connections.
pub(super) async fn answers(uri: &AMQPUri) -> bool {
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, first_byte(uri));
    matches!(answer.await, Ok(Ok(())))
}

async fn first_byte(uri: &AMQPUri) -> io::Result<()> {
    let authority = &uri.authority;
    let mut stream = TcpStream::connect((authority.host.as_str(), authority.port)).await?;
    if uri.scheme == AMQPScheme::AMQPS {
        return Ok(());
    }
    stream.write_all(PROTOCOL_HEADER).await?;
    stream.read_u8().await.map(drop)
}
