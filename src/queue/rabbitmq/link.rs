//! Keeps one session open: reconnects, with growing pauses, until it succeeds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::connect::ConnectError;
use super::options::Options;
use super::session::Session;
use super::topology::Declaration;

/// Pause before the first reconnect.
const BACKOFF_MIN: Duration = Duration::from_millis(100);

/// Longest pause; it also bounds how late a recovered broker is noticed.
const BACKOFF_MAX: Duration = Duration::from_secs(3);

/// How a session declares its queue.
type Declare = fn(&Options) -> Declaration;

/// The connection of the process to the broker, over any number of sessions.
#[derive(Debug)]
pub(super) struct Link {
    session: watch::Sender<Option<Arc<Session>>>,
    keeping: AbortHandle,
}

impl Link {
    /// Connects; each session declares the queue as `declaration` says.
    pub(super) async fn open(
        options: Arc<Options>,
        declaration: Declare,
    ) -> Result<Arc<Self>, ConnectError> {
        let first = Session::open(&options, declaration(&options)).await?;
        let session = watch::Sender::new(Some(Arc::new(first)));
        let keeping =
            tokio::spawn(keep_connected(session.clone(), options, declaration)).abort_handle();
        Ok(Arc::new(Self { session, keeping }))
    }

    /// The current session, if there is one.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.session.borrow().clone()
    }

    /// The current session, or the next one as soon as it is open.
    pub(super) async fn connected(&self) -> Arc<Session> {
        let mut sessions = self.session.subscribe();
        loop {
            if let Some(session) = sessions.borrow_and_update().clone() {
                return session;
            }
            if sessions.changed().await.is_err() {
                // `self` owns the sender, so it cannot have been dropped.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Ends the session; no other one is opened.
    pub(super) async fn close(&self) {
        self.keeping.abort();
        let session = self.session.send_replace(None);
        if let Some(session) = session {
            session.close().await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

async fn keep_connected(
    sessions: watch::Sender<Option<Arc<Session>>>,
    options: Arc<Options>,
    declaration: Declare,
) {
    loop {
        let session = sessions.borrow().clone();
        if let Some(session) = session {
            let reason = session.ended().await;
            tracing::warn!(reason, "lost the connection to the broker, reconnecting");
            sessions.send_replace(None);
            session.close().await;
        }
        let session = reconnect(&options, declaration).await;
        tracing::info!("reconnected to the broker");
        sessions.send_replace(Some(Arc::new(session)));
    }
}

async fn reconnect(options: &Options, declaration: Declare) -> Session {
    let mut backoff = BACKOFF_MIN;
    loop {
        tokio::time::sleep(jittered(backoff)).await;
        match Session::open(options, declaration(options)).await {
            Ok(session) => return session,
            // The loss was logged, and the reconnect will be.
            Err(error) => tracing::debug!(%error, "the broker cannot be reached yet"),
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// A random time between half of the pause and all of it, so that many processes do not reconnect
/// at the same moment.
fn jittered(pause: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_fields().0;
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}
