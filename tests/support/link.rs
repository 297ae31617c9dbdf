//! A TCP link between a server and an engine, which can be cut: nothing comes through, and neither
//! side is told.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A link that passes bytes in both directions until it is cut.
pub(crate) struct TcpLink {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl TcpLink {
    /// To this port on this machine.
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let is_cut = watch::Sender::new(false);
        let state = is_cut.subscribe();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                passing.spawn(pass(near, port, state.clone()));
            }
        });
        Self { address, is_cut, _tasks: tasks }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on nothing comes through, on new connections either.
    pub(crate) fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Closes the connections that were cut, and passes new ones.
    pub(crate) fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

async fn pass(mut near: TcpStream, port: u16, mut is_cut: watch::Receiver<bool>) {
    if !*is_cut.borrow_and_update() {
        let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = is_cut.changed() => {}
        }
        // Both ends stay open until the link is mended.
        let _ = is_cut.wait_for(|is_cut| !is_cut).await;
        drop((near, far));
    } else {
        let _ = is_cut.wait_for(|is_cut| !is_cut).await;
    }
}
