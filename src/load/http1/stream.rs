//! The byte stream of a connection, plain or over TLS.

use std::future::poll_fn;
use std::io;
#[cfg(feature = "tls")]
use std::pin::Pin;
#[cfg(feature = "tls")]
use std::task::{Context, Waker};

use rustix::buffer::spare_capacity;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::Interest;
#[cfg(feature = "tls")]
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

use super::response::ResponseReader;
use crate::load::ring::RingStream;

/// An open connection. In a build without TLS, a `TcpStream` and nothing else.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Ring(RingStream),
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
            Self::Ring(stream) => stream.is_readable(),
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
                    match try_send(stream, rest) {
                        Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                        Ok(written) => {
                            rest = &rest[written..];
                            *sent += written as u64;
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            poll_fn(|context| stream.poll_write_ready(context)).await?;
                        }
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
            Self::Ring(stream) => {
                let mut rest = request;
                while !rest.is_empty() {
                    // The kernel sends at any time from now on, also when nobody waits for it.
                    let before = *sent;
                    *sent = request.len() as u64;
                    let written = stream.send(rest).await.inspect_err(|_| *sent = before)?;
                    if written == 0 {
                        return Err(io::ErrorKind::WriteZero.into());
                    }
                    rest = &rest[written..];
                    *sent = (request.len() - rest.len()) as u64;
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

    /// Receives bytes into the reader's room, and returns how many; 0 at the end of the stream, or
    /// if the room is full.
    pub(super) async fn receive(&mut self, reader: &mut ResponseReader) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => loop {
                let Some(buffer) = reader.spare() else { return Ok(0) };
                match try_receive(stream, buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        poll_fn(|context| stream.poll_read_ready(context)).await?;
                    }
                    received => return received,
                }
            },
            Self::Ring(stream) => match reader.spare() {
                Some(buffer) => stream.receive(buffer).await,
                None => Ok(0),
            },
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read_buf(&mut reader.room()).await,
        }
    }
}

// The two calls of each request go to the kernel without the C library, whose functions do more in
// a process that has several threads: each call enables and disables the cancellation of its
// thread.

fn try_send(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.try_io(Interest::WRITABLE, || Ok(send(stream, bytes, SendFlags::NOSIGNAL)?))
}

fn try_receive(stream: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let room = buffer.capacity() - buffer.len();
    let mut received = None;
    let tried = stream.try_io(Interest::READABLE, || {
        let (len, _) = recv(stream, spare_capacity(buffer), RecvFlags::empty())?;
        received = Some(len);
        // After fewer bytes than there is room for, nothing is left to read. The error makes the
        // runtime wait for more the next time, which saves a call that would find nothing. The end
        // of the stream stays known to it.
        if len < room { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    });
    received.map_or_else(|| tried.map(|()| 0), Ok)
}
