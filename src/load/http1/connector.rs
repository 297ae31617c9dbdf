//! Opening connections to a target: TCP, and with `https://` TLS over it.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio::time::timeout;
#[cfg(feature = "tls")]
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use crate::stats::ErrorKind;
use crate::sut::Target;
#[cfg(feature = "tls")]
use crate::units::Span;

use super::stream::Stream;
use crate::load::ring::Ring;

/// Opens connections to one target.
#[derive(Debug, Clone)]
pub struct Connector {
    address: SocketAddr,
    #[cfg(feature = "tls")]
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// Why there is no connection.
#[derive(Debug)]
enum ConnectError {
    Connect(io::Error),
    #[cfg(feature = "tls")]
    Handshake(io::Error),
}

impl Connector {
    /// Reads the trusted certificates, if the target is `https://`.
    ///
    /// # Errors
    /// When no certificates are trusted, or the host has a name that no certificate can have.
    pub fn new(target: &Target) -> io::Result<Self> {
        #[cfg(feature = "tls")]
        let tls = match target.is_https() {
            true => Some((Arc::new(crate::tls::client(&target.trust)?), server_name(target)?)),
            false => None,
        };
        Ok(Self {
            address: target.address,
            #[cfg(feature = "tls")]
            tls,
        })
    }

    /// Checks the certificate of the server. A server that cannot be reached within `limit` is not
    /// an error here.
    ///
    /// # Errors
    /// When the handshake fails; the text states the problem and its cure.
    pub async fn check_certificate(&self, limit: Duration) -> Result<(), String> {
        #[cfg(feature = "tls")]
        if self.tls.is_some()
            && let Ok(Ok(stream)) = timeout(limit, TcpStream::connect(self.address)).await
        {
            return match timeout(limit, self.handshake(stream)).await {
                Ok(Err(ConnectError::Handshake(error))) => Err(crate::tls::explain(&error)),
                Ok(_) => Ok(()),
                Err(_) => Err(format!(
                    "it accepted the connection and did not answer the TLS handshake within {} \
                     (--connect-timeout): is it the right --target?",
                    Span(limit)
                )),
            };
        }
        #[cfg(not(feature = "tls"))]
        let _ = limit;
        Ok(())
    }

    /// Opens a connection: TCP, and the handshake where there is one.
    /// Over a ring there is no TLS.
    pub(super) async fn connect(&self, ring: Option<&Rc<Ring>>) -> Result<Stream, ErrorKind> {
        let opened = match (ring, self.try_connect().await) {
            (Some(ring), Ok(Stream::Plain(stream))) => {
                ring.stream(stream).map(Stream::Ring).map_err(ConnectError::Connect)
            }
            (_, opened) => opened,
        };
        opened.map_err(|error| error.kind())
    }

    async fn try_connect(&self) -> Result<Stream, ConnectError> {
        let stream = TcpStream::connect(self.address).await.map_err(ConnectError::Connect)?;
        self.handshake(stream).await
    }

    /// Makes a connection of a stream, with TLS over it where there is TLS.
    async fn handshake(&self, stream: TcpStream) -> Result<Stream, ConnectError> {
        // A failure only affects latency: without this option the kernel may delay a request.
        let _ = stream.set_nodelay(true);
        #[cfg(feature = "tls")]
        if let Some((config, name)) = &self.tls {
            let connector = TlsConnector::from(Arc::clone(config));
            let stream = connector.connect(name.clone(), stream).await;
            return stream.map(Stream::tls).map_err(ConnectError::Handshake);
        }
        Ok(Stream::Plain(stream))
    }
}

/// The name that the certificate must be for; it is sent as SNI unless it is an address.
#[cfg(feature = "tls")]
fn server_name(target: &Target) -> io::Result<ServerName<'static>> {
    let name = target.name().to_owned();
    ServerName::try_from(name).map_err(|_| {
        let message =
            format!("`{}` cannot be the name in a certificate: give another name", target.name());
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

impl ConnectError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => ErrorKind::ConnectRefused,
                io::ErrorKind::TimedOut => ErrorKind::ConnectTimeout,
                io::ErrorKind::AddrNotAvailable => ErrorKind::NoPorts,
                _ if out_of_files(error) => ErrorKind::NoFiles,
                _ => ErrorKind::ConnectFailed,
            },
            #[cfg(feature = "tls")]
            Self::Handshake(_) => ErrorKind::Tls,
        }
    }
}

/// Whether the limit of this process (EMFILE) or of the machine (ENFILE) is reached.
fn out_of_files(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE))
}
