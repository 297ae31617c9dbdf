//! A server that answers every request with the same refusal, as fast as it can: the generator
//! measures itself against it.

use std::io;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{LocalSet, spawn_local};

use crate::sut::Sut;

/// Longest request, in bytes.
const REQUEST_LEN_MAX: usize = 16 << 10;

/// Maximum number of header fields of a request.
const FIELDS_MAX: usize = 32;

/// Serves until the process ends.
///
/// # Errors
/// When no further connection can be accepted.
pub(super) fn serve(listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, body) = Sut::sample_refusal();
    let response: Rc<str> = format!(
        "HTTP/1.1 {status} Refused\r\n\
         content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len(),
    )
    .into();
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            // A connection that sends anything other than HTTP is closed.
            let response = Rc::clone(&response);
            spawn_local(async move { drop(answer(stream, response.as_bytes()).await) });
        }
    })
}

async fn answer(mut stream: TcpStream, response: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(1024);
    while buffer.len() < REQUEST_LEN_MAX && stream.read_buf(&mut buffer).await? > 0 {
        while let Some(len) = request_len(&buffer)? {
            buffer.drain(..len);
            stream.write_all(response).await?;
        }
    }
    Ok(())
}

/// The length of the request at the beginning of the bytes; `None` while it is incomplete.
fn request_len(bytes: &[u8]) -> io::Result<Option<usize>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = request.parse(bytes).map_err(io::Error::other)?;
    let httparse::Status::Complete(head) = parsed else { return Ok(None) };
    let length = request.headers.iter().find(|f| f.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|field| std::str::from_utf8(field.value).ok()?.parse().ok());
    let len = head + length.unwrap_or(0usize).min(REQUEST_LEN_MAX);
    Ok((bytes.len() >= len).then_some(len))
}
