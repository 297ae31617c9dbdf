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

/// Waits for an answer of the broker at this address; the error says why there is none. With TLS,
/// only until it takes the connection.
pub(super) async fn answer(uri: &AMQPUri) -> Result<(), String> {
    match tokio::time::timeout(ANSWER_TIMEOUT, first_byte(uri)).await {
        Ok(Ok(())) => Ok(()),
        // It closes connections while it starts.
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err("it closes connections".to_owned())
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {ANSWER_TIMEOUT:?}")),
    }
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
