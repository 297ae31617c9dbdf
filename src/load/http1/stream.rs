//! The byte stream of a connection, plain or over TLS.

use std::io;
use std::pin::Pin;
#[cfg(feature = "tls")]
use std::task::Waker;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

/// An open connection. In a build without TLS, a `TcpStream` and nothing else.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    /// Boxed, because it is large: a plain connection should not use more memory for it.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    #[cfg(feature = "tls")]
    pub(super) fn tls(stream: TlsStream<TcpStream>) -> Self {
        Self::Tls(Box::new(stream))
    }

    /// Whether there is anything to read: bytes, or the end of the stream.
    pub(super) fn is_readable(&mut self) -> bool {
        match self {
            Self::Plain(stream) => {
                let read = stream.try_read(&mut [0]);
                !read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
            }
            // The TLS stream is polled instead of the socket, which may hold records without
            // application data, such as session tickets. Those are consumed here.
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                let mut context = Context::from_waker(Waker::noop());
                let mut byte = [0];
                let mut buffer = ReadBuf::new(&mut byte);
                Pin::new(stream).poll_read(&mut context, &mut buffer).is_ready()
            }
        }
    }

    /// Sends all of `request`, and counts in `sent` the bytes that may have left this machine,
    /// also when it fails or is dropped half way.
    pub(super) async fn send(&mut self, request: &[u8], sent: &mut u64) -> io::Result<()> {
        match self {
            Self::Plain(stream) => {
                let mut rest = request;
                while !rest.is_empty() {
                    match stream.write(rest).await? {
                        0 => return Err(io::ErrorKind::WriteZero.into()),
                        written => {
                            rest = &rest[written..];
                            *sent += written as u64;
                        }
                    }
                }
                Ok(())
            }
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                // One call encrypts and sends, and may fail after it has sent bytes.
                *sent = request.len() as u64;
                stream.write_all(request).await?;
                stream.flush().await
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}
