//! A TLS server in proxy of a plain one, like a proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use super::authority::Issued;

/// What happens to connections opened after the ledger was read; by then `seckill bench` has read
/// everything that it needs before the run.
pub(crate) enum Load {
    Served,
    /// They are served, with a key update after every piece of an answer.
    Rekeyed,
    /// This many see another certificate; later ones are served.
    Shown(usize, Issued),
    /// This many are accepted and never answered; later ones are served.
    Ignored(usize),
}

/// A proxy that runs until dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    seen: Arc<Seen>,
    runtime: Option<Runtime>,
}

/// What has passed through.
#[derive(Default)]
struct Seen {
    /// Requests for the ledger.
    ledgers: AtomicUsize,
    /// Connections that sent a purchase.
    buyers: AtomicUsize,
}

/// How to serve a connection.
#[derive(Clone)]
struct Service {
    acceptor: TlsAcceptor,
    behind: SocketAddr,
    rekeyed: bool,
    seen: Arc<Seen>,
}

impl Proxy {
    /// Starts in proxy of the server at `behind`.
    pub(crate) fn start(behind: SocketAddr, issued: &Issued, load: Load) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let rekeyed = matches!(load, Load::Rekeyed);
        let acceptor = acceptor(issued);
        let service = Service { acceptor, behind, rekeyed, seen: Arc::clone(&seen) };
        runtime.spawn(accept(listener, service, load));
        Self { port, seen, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The number of connections that sent a purchase.
    pub(crate) fn buyers(&self) -> usize {
        self.seen.buyers.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, good: Service, load: Load) {
    let (mut bad_left, other) = match load {
        Load::Served | Load::Rekeyed => (0, None),
        Load::Shown(count, other) => (count, Some(acceptor(&other))),
        Load::Ignored(count) => (count, None),
    };
    let mut ignored = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        if bad_left == 0 || good.seen.ledgers.load(Ordering::Relaxed) == 0 {
            tokio::spawn(good.clone().serve(stream));
            continue;
        }
        bad_left -= 1;
        match &other {
            Some(acceptor) => {
                let service = Service { acceptor: acceptor.clone(), ..good.clone() };
                tokio::spawn(service.serve(stream));
            }
            None => ignored.push(stream),
        }
    }
}

impl Service {
    async fn serve(self, stream: TcpStream) {
        // A client that rejects the certificate disconnects; other clients disconnect at any time.
        let Ok(mut outer) = self.acceptor.accept(stream).await else { return };
        let mut inner = TcpStream::connect(self.behind).await.unwrap();
        inner.set_nodelay(true).unwrap();
        let _ = self.copy(&mut outer, &mut inner).await;
    }

    /// Copies in both directions until one side has ended.
    async fn copy(
        &self,
        outer: &mut TlsStream<TcpStream>,
        inner: &mut TcpStream,
    ) -> io::Result<()> {
        let (mut request, mut answer) = ([0; 4096], [0; 4096]);
        let mut is_buyer = false;
        loop {
            tokio::select! {
                len = outer.read(&mut request) => {
                    let request = &request[..len?];
                    if request.is_empty() {
                        return Ok(());
                    }
                    let buys = request.starts_with(b"POST /seckill ");
                    self.seen.buyers.fetch_add((buys && !is_buyer).into(), Ordering::Relaxed);
                    is_buyer |= buys;
                    let reads = request.starts_with(b"GET /admin/ledger");
                    self.seen.ledgers.fetch_add(reads.into(), Ordering::Relaxed);
                    inner.write_all(request).await?;
                }
                len = inner.read(&mut answer) => {
                    let answer = &answer[..len?];
                    if answer.is_empty() {
                        return outer.shutdown().await;
                    }
                    outer.write_all(answer).await?;
                    outer.flush().await?;
                    if self.rekeyed {
                        // Later, so that the client does not read it together with the answer.
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        outer.get_mut().1.refresh_traffic_keys().unwrap();
                        outer.flush().await?;
                    }
                }
            }
        }
    }
}

fn acceptor(issued: &Issued) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(&issued.certificate).unwrap();
    let chain = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(&issued.key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()))
}
