//! A TCP proxy whose connections can be broken.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::lab::free_port;
use crate::profile::{Toxic, Way};

use super::pass::{Ended, pass};
use super::toxics::{Active, Cut, Seen, Toxics};

/// Pause after an error to accept a connection, which is mostly a lack of files, and before the
/// next attempt to listen again.
const PAUSE: Duration = Duration::from_millis(20);

/// Attempts to listen on a port that was free a moment ago.
const PORT_TRIES: usize = 5;

/// Numbers the connections.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// Where the proxies run: on a thread of their own, so that a busy bench does not delay them.
#[derive(Debug)]
pub struct Proxies(Option<Runtime>);

impl Proxies {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system refuses it.
    pub fn start() -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("proxy").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// A proxy to this address, on a free port of 127.0.0.1. It lives as long as the thread.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn proxy(&self, to: SocketAddr) -> io::Result<Proxy> {
        let mut tries = 1;
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", free_port()?)).await {
                Err(_) if tries < PORT_TRIES => tries += 1,
                listener => break listener?,
            }
        };
        // It is registered with the runtime of the caller, so it is made anew on that of the proxy.
        let (address, toxics) = (listener.local_addr()?, watch::Sender::default());
        let (listener, seen) = (listener.into_std()?, toxics.subscribe());
        if let Some(runtime) = &self.0 {
            runtime.spawn(async move {
                if let Ok(listener) = TcpListener::from_std(listener) {
                    serve(listener, address, to, seen).await;
                }
            });
        }
        Ok(Proxy { address, toxics, next: AtomicU64::new(0) })
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        // A runtime may not be dropped in an asynchronous context.
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    toxics: watch::Sender<Toxics>,
    next: AtomicU64,
}

impl Proxy {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a fault, and returns its number.
    pub fn add(&self, toxic: Toxic) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.toxics.send_modify(|toxics| toxics.0.push(Active { id, toxic }));
        id
    }

    /// Removes the fault with this number.
    pub fn remove(&self, id: u64) {
        self.toxics.send_modify(|toxics| toxics.0.retain(|active| active.id != id));
    }
}

/// Accepts connections for ever, except while they are refused.
async fn serve(mut listener: TcpListener, address: SocketAddr, to: SocketAddr, mut seen: Seen) {
    loop {
        tokio::select! {
            () = accept(&listener, to, &seen) => {}
            gone = wait_for(seen.clone(), Toxics::refuses) => if gone.is_none() { return },
        }
        drop(listener);
        if seen.wait_for(|toxics| !toxics.refuses()).await.is_err() {
            return;
        }
        listener = loop {
            match TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        };
    }
}

async fn accept(listener: &TcpListener, to: SocketAddr, seen: &Seen) {
    loop {
        match listener.accept().await {
            Ok((near, _)) => {
                let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
                drop(tokio::spawn(connection(near, to, (number, seen.clone()))));
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Resolves when a condition holds; `None` if the proxy is gone.
async fn wait_for(mut seen: Seen, holds: impl FnMut(&Toxics) -> bool) -> Option<()> {
    seen.wait_for(holds).await.ok().map(|_| ())
}

async fn connection(mut near: TcpStream, to: SocketAddr, (number, seen): (u64, Seen)) {
    // While no byte arrives, the far end would not see the connection either.
    let reaches = |toxics: &Toxics| toxics.cut().is_some() || !toxics.blocks(Way::Up);
    let cut = tokio::select! {
        _ = wait_for(seen.clone(), reaches) => seen.borrow().cut(),
        () = time_out(seen.clone()) => Some(Cut::Close),
    };
    if let Some(cut) = cut {
        return end(near, None, cut, seen).await;
    }
    let Ok(mut far) = TcpStream::connect(to).await else {
        return end(near, None, Cut::Reset, seen).await;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let cut = {
        let ((near_read, near_write), (far_read, far_write)) = (near.split(), far.split());
        let up = pass(near_read, far_write, Way::Up, (number, seen.clone()));
        let down = pass(far_read, near_write, Way::Down, (number, seen.clone()));
        tokio::select! {
            ended = async { tokio::try_join!(up, down) } => match ended {
                Err(Ended::Reset) => Cut::Reset,
                Ok(_) | Err(Ended::Closed) => Cut::Close,
            },
            _ = wait_for(seen.clone(), |toxics| toxics.cut().is_some()) => {
                seen.borrow().cut().unwrap_or(Cut::Close)
            }
            () = time_out(seen.clone()) => Cut::Close,
        }
    };
    end(near, Some(far), cut, seen).await;
}

/// Resolves when connections are to be closed because no byte arrives.
async fn time_out(mut seen: Seen) {
    let mut running: Option<(u64, Instant)> = None;
    loop {
        let time_out = seen.borrow_and_update().time_out();
        // Another fault that begins or ends does not start it anew.
        running = time_out.map(|(id, delay)| {
            running.filter(|(known, _)| *known == id).unwrap_or((id, Instant::now() + delay))
        });
        let over = async {
            match running {
                Some((_, at)) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = over => return,
            changed = seen.changed() => if changed.is_err() { return },
        }
    }
}

/// Ends a connection.
async fn end(mut near: TcpStream, far: Option<TcpStream>, cut: Cut, seen: Seen) {
    match cut {
        Cut::Close => [Some(&near), far.as_ref()].into_iter().flatten().for_each(empty),
        Cut::Reset => {
            // An error only means that the connection has ended already.
            let _ = near.set_zero_linger();
            let _ = far.as_ref().map(TcpStream::set_zero_linger);
        }
        Cut::HalfOpen => {
            drop(far);
            let mut nowhere = tokio::io::sink();
            let is_over = wait_for(seen, |toxics| toxics.cut() != Some(Cut::HalfOpen));
            tokio::select! {
                _ = is_over => {}
                _ = tokio::io::copy(&mut near, &mut nowhere) => {}
            }
            let _ = near.set_zero_linger();
        }
    }
}

/// Discards what has arrived. A connection that is closed with unread bytes would be reset.
fn empty(stream: &TcpStream) {
    let mut bytes = [0; 4096];
    while stream.try_read(&mut bytes).is_ok_and(|len| len > 0) {}
}
