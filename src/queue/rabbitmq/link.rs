//! Keeps one session alive: connects again, with growing pauses, for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::connect::ConnectError;
use super::options::Options;
use super::session::Session;
use super::topology::Declaration;

/// Pause before the first try to connect again.
const BACKOFF_MIN: Duration = Duration::from_millis(100);

/// Longest pause: what a broker's return costs at the most.
const BACKOFF_MAX: Duration = Duration::from_secs(3);

/// How a session declares its queue.
type Declare = fn(&Options) -> Declaration;

/// See the module.
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
        let keeping = tokio::spawn(keep(session.clone(), options, declaration)).abort_handle();
        Ok(Arc::new(Self { session, keeping }))
    }

    /// The session, if there is one now.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.session.borrow().clone()
    }

    /// The session, as soon as there is one.
    pub(super) async fn connected(&self) -> Arc<Session> {
        let mut sessions = self.session.subscribe();
        loop {
            if let Some(session) = sessions.borrow_and_update().clone() {
                return session;
            }
            if sessions.changed().await.is_err() {
                // The sender is in `self`: it cannot have gone.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Ends the session for good.
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

async fn keep(
    sessions: watch::Sender<Option<Arc<Session>>>,
    options: Arc<Options>,
    declaration: Declare,
) {
    loop {
        let session = sessions.borrow().clone();
        if let Some(session) = session {
            let reason = session.ended().await;
            tracing::warn!(reason, "lost the broker, connecting again");
            sessions.send_replace(None);
            session.close().await;
        }
        let session = reconnect(&options, declaration).await;
        tracing::info!("connected to the broker again");
        sessions.send_replace(Some(Arc::new(session)));
    }
}

async fn reconnect(options: &Options, declaration: Declare) -> Session {
    let mut backoff = BACKOFF_MIN;
    loop {
        tokio::time::sleep(jittered(backoff)).await;
        match Session::open(options, declaration(options)).await {
            Ok(session) => return session,
            // That it was lost has been said, and that it is back will be.
            Err(error) => tracing::debug!(%error, "the broker is not back yet"),
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Between half of a pause and all of it, so that many processes do not come back as one.
fn jittered(pause: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_fields().0;
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}
