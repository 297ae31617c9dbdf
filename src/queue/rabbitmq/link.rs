//! Keeps one session open: reconnects, with growing pauses, until it succeeds. Of several brokers
//! each is tried once, one after the other, between two pauses.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::error::{ConnectError, DeclareError};
use super::hosts::{Host, Hosts};
use super::options::Options;
use super::probe;
use super::session::{Purpose, Session};

/// Pause before the first reconnect.
const BACKOFF_MIN: Duration = Duration::from_millis(100);

/// Longest pause; with the probe's time limit, for each broker, it bounds how late a recovered
/// broker is noticed.
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
        hosts: Arc<Hosts>,
        purpose: Purpose,
    ) -> Result<Arc<Self>, ConnectError> {
        let first = first_session(&options, &hosts, purpose).await?;
        if let Some(broker) = first.broker() {
            tracing::info!(broker, %purpose, "connected to the broker");
        }
        Ok(Self::keep(options, hosts, purpose, Some(Arc::new(first))))
    }

    /// Begins to connect, and keeps connected.
    pub(super) fn start(options: Arc<Options>, hosts: Arc<Hosts>, purpose: Purpose) -> Arc<Self> {
        Self::keep(options, hosts, purpose, None)
    }

    fn keep(
        options: Arc<Options>,
        hosts: Arc<Hosts>,
        purpose: Purpose,
        first: Option<Arc<Session>>,
    ) -> Arc<Self> {
        let session = watch::Sender::new(first);
        let keeping = tokio::spawn(keep_connected(session.clone(), options, hosts, purpose));
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
    hosts: Arc<Hosts>,
    purpose: Purpose,
) {
    // Nothing was lost yet, so there is nothing to spare by a pause.
    let mut pause = Duration::ZERO;
    loop {
        let session = sessions.borrow().clone();
        if let Some(session) = session {
            pause = BACKOFF_MIN;
            let (reason, broker) = (session.ended().await, session.broker());
            tracing::warn!(
                reason,
                broker,
                %purpose,
                "lost the connection to the broker, reconnecting"
            );
            sessions.send_replace(None);
            // Not awaited: a broker that hangs does not answer.
            tokio::spawn(async move { session.close().await });
        }
        let session = connect(&options, &hosts, purpose, pause).await;
        tracing::info!(broker = session.broker(), %purpose, "connected to the broker");
        sessions.send_replace(Some(Arc::new(session)));
    }
}

/// Connects, the first time after this pause.
async fn connect(options: &Options, hosts: &Hosts, purpose: Purpose, pause: Duration) -> Session {
    let (mut backoff, mut is_node_down) = (pause, false);
    loop {
        tokio::time::sleep(jittered(backoff)).await;
        match round(options, hosts, purpose).await {
            Ok(session) => return session,
            // It gets better by itself when the node is back.
            Err(error @ ConnectError::Declare(DeclareError::NodeDown { .. })) => {
                if !std::mem::replace(&mut is_node_down, true) {
                    tracing::warn!(%error, "the queue cannot be used, will retry");
                }
            }
            // It will not get better by itself, so an operator must read it.
            Err(error @ ConnectError::Declare(_)) => {
                tracing::error!(%error, "the broker is back, but its queue cannot be used");
            }
            // The loss was logged, and the reconnect will be.
            Err(error) => tracing::debug!(%error, "the broker cannot be used yet"),
        }
        backoff = (backoff * 2).clamp(BACKOFF_MIN, BACKOFF_MAX);
    }
}

/// A session for the start. A single broker is not probed, for the sake of the client's own error.
async fn first_session(
    options: &Options,
    hosts: &Hosts,
    purpose: Purpose,
) -> Result<Session, ConnectError> {
    match hosts.round().next() {
        Some(host) if !hosts.are_several() => Session::open(options, host, purpose).await,
        _ => round(options, hosts, purpose).await,
    }
}

/// A session with the first of the brokers that can be used. If there is none, and one has refused
/// something, that is the error: the others would have refused the same.
async fn round(
    options: &Options,
    hosts: &Hosts,
    purpose: Purpose,
) -> Result<Session, ConnectError> {
    let (mut refused, mut problems) = (None, Vec::new());
    for host in hosts.round() {
        match probed_session(options, host, purpose).await {
            Ok(session) => return Ok(session),
            Err(ConnectError::Broker { url, problem }) => {
                problems.push(format!("{url} ({problem})"))
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or(ConnectError::Brokers(problems)))
}

/// A session with a broker that answers within the probe's time limit.
async fn probed_session(
    options: &Options,
    host: &Host,
    purpose: Purpose,
) -> Result<Session, ConnectError> {
    let url = || host.url.to_string();
    let answer = probe::answer(&host.uri).await;
    answer.map_err(|problem| ConnectError::Broker { url: url(), problem })?;
    Session::open(options, host, purpose).await
}

/// A random time between half of the pause and all of it, so that many processes do not reconnect
/// at the same moment.
fn jittered(pause: Duration) -> Duration {
    let random = uuid::Uuid::new_v4().as_fields().0;
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}
