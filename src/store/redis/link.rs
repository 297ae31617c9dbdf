//! The connection to Redis, one per process, with a circuit breaker: from the moment when a call
//! finds it broken or gets no answer in time, every call is refused at once, without effect, until
//! another connection was opened and checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{Cmd, FromRedisValue, RedisResult, ScriptInvocation};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::error::Elapsed;

use crate::secret::EngineUrl;

use super::super::StoreError;
use super::connect::{CONNECT_TIMEOUT, Connector};
use super::connection::Connections;
use super::failure::{ends_connection, is_refusal};
use super::keys::Keys;
use super::problem::OpenError;

/// How long the server may take to answer: enough for a large batch on a slow disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Pause before the first reconnect.
const BACKOFF_MIN: Duration = Duration::from_millis(50);

/// Longest pause between two reconnects.
const BACKOFF_MAX: Duration = Duration::from_millis(500);

/// A server that works again is used within two seconds, even if the reconnect before was lost.
const _: () = assert!(CONNECT_TIMEOUT.as_millis() + BACKOFF_MAX.as_millis() < 2_000);

/// How often the server is asked for a sign of life, so that a failure is found before a buyer
/// finds it.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The kind of a command: a failed write may have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The connection of the process to Redis, over any number of sessions, as one bucket uses it.
#[derive(Debug, Clone)]
pub(super) struct Link {
    keys: Keys,
    session: watch::Sender<Option<Session>>,
    /// Whether a refusal was logged since the last sign of life.
    warned: Arc<AtomicBool>,
    _keeping: Arc<Keeping>,
}

/// An open connection.
#[derive(Debug, Clone)]
struct Session {
    connection: Connections,
    number: u64,
}

/// Opens a new session whenever there is none, until dropped.
#[derive(Debug)]
struct Keeping(AbortHandle);

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Link {
    /// Opens the connection, and returns it as each of the buckets with these keys uses it.
    pub(super) async fn open(url: &EngineUrl, buckets: Vec<Keys>) -> Result<Vec<Self>, OpenError> {
        let connector = Connector::new(url, buckets.clone())?;
        let connection = connector.connect().await;
        let connection = connection.map_err(|problem| OpenError::of_server(url, problem))?;
        let session = watch::Sender::new(Some(Session { connection, number: 0 }));
        let keeping = tokio::spawn(keep_connected(session.clone(), connector)).abort_handle();
        let (warned, _keeping) = (Arc::default(), Arc::new(Keeping(keeping)));
        let link = |keys| {
            let (session, warned) = (session.clone(), Arc::clone(&warned));
            Self { keys, session, warned, _keeping: Arc::clone(&_keeping) }
        };
        Ok(buckets.into_iter().map(link).collect())
    }

    /// The keys of the bucket.
    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// A key that there is once.
    pub(super) fn key(&self, name: &str) -> String {
        self.keys.key(name)
    }

    /// A key that there is once for each item or sale.
    pub(super) fn key_of(&self, name: &str, whose: impl std::fmt::Display) -> String {
        self.keys.key_of(name, whose)
    }

    /// Runs a script, and loads it if the server does not have it.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
        access: Access,
    ) -> Result<T, StoreError> {
        let mut session = self.session()?;
        let call = script.invoke_async(session.connection.of(&self.keys));
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, call).await;
        self.checked(session.number, answer, access)
    }

    /// Sends a command that only reads.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut session = self.session()?;
        let call = command.query_async(session.connection.of(&self.keys));
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, call).await;
        self.checked(session.number, answer, Access::Read)
    }

    /// Sends several commands at once.
    pub(super) async fn send<T: FromRedisValue>(
        &self,
        commands: &redis::Pipeline,
        access: Access,
    ) -> Result<T, StoreError> {
        let mut session = self.session()?;
        let call = commands.query_async(session.connection.of(&self.keys));
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, call).await;
        self.checked(session.number, answer, access)
    }

    /// The servers that have the data, as [`Connection::servers`] names them.
    pub(super) fn servers(&self) -> Vec<Option<EngineUrl>> {
        let servers = |mut session: Session| session.connection.of(&self.keys).servers();
        self.session().map_or_else(|_| Vec::new(), servers)
    }

    /// A setting of one of these servers; `None` if it does not show it.
    pub(super) async fn setting(&self, server: Option<&EngineUrl>, name: &str) -> Option<String> {
        let mut session = self.session().ok()?;
        let mut get = redis::cmd("CONFIG");
        get.arg("GET").arg(name);
        let call = session.connection.of(&self.keys).ask(server, get);
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, call).await.ok()?.ok()?;
        Vec::<String>::from_redis_value(answer).ok()?.into_iter().nth(1)
    }

    /// Whether there is a session; without one, every call is refused.
    pub(super) fn is_connected(&self) -> bool {
        self.session.borrow().is_some()
    }

    /// The current session. Without one, a call is not sent, and so certainly has no effect.
    fn session(&self) -> Result<Session, StoreError> {
        self.session.borrow().clone().ok_or(StoreError::Unavailable)
    }

    fn checked<T>(
        &self,
        session: u64,
        answer: Result<RedisResult<T>, Elapsed>,
        access: Access,
    ) -> Result<T, StoreError> {
        let refused = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                match ends_connection(&error) {
                    true => self.end(session, &error.to_string()),
                    false if self.warned.swap(true, Ordering::Relaxed) => {}
                    false => tracing::warn!(%error, "the store refuses a command"),
                }
                is_refusal(&error)
            }
            Err(_) => {
                self.end(session, &format!("no answer within {ANSWER_TIMEOUT:?}"));
                false
            }
        };
        match access {
            Access::Write if !refused => Err(StoreError::Unknown),
            _ => Err(StoreError::Unavailable),
        }
    }

    /// Ends a session, if it is the current one. Calls that wait for its answers go on waiting.
    fn end(&self, number: u64, problem: &str) {
        let ended = self.session.send_if_modified(|session| {
            session.take_if(|session| session.number == number).is_some()
        });
        if ended {
            tracing::warn!(problem, "lost the store, refusing every call until it is back");
        }
    }

    /// Asks for signs of life, for ever.
    pub(super) async fn heartbeat(&self) {
        let mut ticks = tokio::time::interval(HEARTBEAT);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A failure ends the session and is logged there.
            let _: Result<(), _> = self.ask(&redis::cmd("PING")).await;
            self.warned.store(false, Ordering::Relaxed);
        }
    }
}

async fn keep_connected(session: watch::Sender<Option<Session>>, connector: Connector) {
    let mut sessions = session.subscribe();
    for number in 1.. {
        // `session` is a sender, so the channel stays open.
        let _ = sessions.wait_for(Option::is_none).await;
        let connection = reconnect(&connector).await;
        tracing::info!("the store answers again");
        session.send_replace(Some(Session { connection, number }));
    }
}

/// Connects, with growing pauses, until it succeeds.
async fn reconnect(connector: &Connector) -> Connections {
    let (mut backoff, mut logged) = (BACKOFF_MIN, String::new());
    loop {
        tokio::time::sleep(backoff).await;
        match connector.connect().await {
            Ok(connection) => return connection,
            Err(problem) if problem == logged => {}
            Err(problem) => {
                tracing::warn!(problem, "cannot connect to the store again, will retry");
                logged = problem;
            }
        }
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}
