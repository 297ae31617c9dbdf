//! Keeps one session open: reconnects, with growing pauses, until it succeeds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::connect::{ConnectError, uri};
use super::options::Options;
use super::probe;
use super::session::{Purpose, Session};

/// Pause before the first reconnect.
const BACKOFF_MIN: Duration = Duration::from_millis(100);

/// Longest pause; with the probe's time limit it bounds how late a recovered broker is noticed.
const BACKOFF_MAX: Duration = Duration::from_millis(500);

/// A connection of the process to the broker, over any number of sessions.
#[derive(Debug)]
pub(super) struct Link {
    session: watch::Sender<Option<Arc<Session>>>,
    keeping: AbortHandle,
}

impl Link {
    /// Connects, and keeps connected.
    pub(super) async fn open(
        options: Arc<Options>,
        purpose: Purpose,
    ) -> Result<Arc<Self>, ConnectError> {
        let first = Session::open(&options, purpose).await?;
        Ok(Self::keep(options, purpose, Some(Arc::new(first))))
    }

    /// Begins to connect, and keeps connected.
    pub(super) fn start(options: Arc<Options>, purpose: Purpose) -> Arc<Self> {
        Self::keep(options, purpose, None)
    }

    fn keep(options: Arc<Options>, purpose: Purpose, first: Option<Arc<Session>>) -> Arc<Self> {
        let session = watch::Sender::new(first);
        let keeping = tokio::spawn(keep_connected(session.clone(), options, purpose));
        Arc::new(Self { session, keeping: keeping.abort_handle() })
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
    purpose: Purpose,
) {
    loop {
        let session = sessions.borrow().clone();
        if let Some(session) = session {
            let reason = session.ended().await;
            tracing::warn!(reason, %purpose, "lost the connection to the broker, reconnecting");
            sessions.send_replace(None);
            // Not awaited: a broker that hangs does not answer.
            tokio::spawn(async move { session.close().await });
        }
        let session = connect(&options, purpose).await;
        tracing::info!(%purpose, "connected to the broker");
        sessions.send_replace(Some(Arc::new(session)));
    }
}

async fn connect(options: &Options, purpose: Purpose) -> Session {
    let mut backoff = BACKOFF_MIN;
    loop {
        tokio::time::sleep(jittered(backoff)).await;
        let session = match uri(options) {
            Ok(uri) if !probe::answers(&uri).await => None,
            Ok(_) => Some(Session::open(options, purpose).await),
            Err(error) => Some(Err(error)),
        };
        match session {
            Some(Ok(session)) => return session,
            // It will not get better by itself, so an operator must read it.
            Some(Err(error @ ConnectError::Declare(_))) => {
                tracing::error!(%error, "the broker is back, but its queue cannot be used");
            }
            // The loss was logged, and the reconnect will be.
            Some(Err(error)) => tracing::debug!(%error, "the broker cannot be used yet"),
            None => tracing::debug!("the broker cannot be reached yet"),
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
