//! Whether the queue is full. A nack does not say so, and costs the store a tombstone: after the
//! first one, the queue's length is watched, and attempts are refused before they are published.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::link::Link;
use super::options::Options;

/// How long the length is watched after a nack. An overload lasts longer than a moment.
const WATCH_FOR: Duration = Duration::from_secs(10);

/// Pause between two requests for the length.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long a refusal waits for the length, for its reason.
const REASON_TIMEOUT: Duration = Duration::from_millis(250);

/// Watches the length of the queue while there are nacks.
#[derive(Debug)]
pub(super) struct Fullness {
    options: Arc<Options>,
    link: Arc<Link>,
    /// When the last nack came; `None` while nothing is watched.
    last_nack: Mutex<Option<Instant>>,
    is_full: watch::Sender<bool>,
}

impl Fullness {
    pub(super) fn new(options: Arc<Options>, link: Arc<Link>) -> Arc<Self> {
        let (last_nack, is_full) = (Mutex::default(), watch::Sender::new(false));
        Arc::new(Self { options, link, last_nack, is_full })
    }

    /// Whether the queue is known to be full.
    pub(super) fn is_full(&self) -> bool {
        *self.is_full.borrow()
    }

    /// Notes a nack, and returns whether the queue was full then or soon after.
    pub(super) async fn nacked(self: &Arc<Self>) -> bool {
        let mut measured = self.is_full.subscribe();
        let last = {
            let mut last = self.last_nack.lock().unwrap_or_else(PoisonError::into_inner);
            last.replace(Instant::now())
        };
        if last.is_none() {
            tokio::spawn(Arc::clone(self).watch());
        }
        // An error is a time-out: the broker does not answer.
        let measured = tokio::time::timeout(REASON_TIMEOUT, measured.changed()).await;
        measured.is_ok() && self.is_full()
    }

    async fn watch(self: Arc<Self>) {
        while self.is_watched() {
            let depth = match self.link.session() {
                Some(session) => session.depth(&self.options).await,
                None => None,
            };
            self.is_full.send_replace(depth.is_some_and(|depth| is_full(depth, self.options.max)));
            tokio::time::sleep(INTERVAL).await;
        }
    }

    fn is_watched(&self) -> bool {
        let mut last = self.last_nack.lock().unwrap_or_else(PoisonError::into_inner);
        let is_watched = last.is_some_and(|last| last.elapsed() < WATCH_FOR);
        if !is_watched {
            *last = None;
            self.is_full.send_replace(false);
        }
        is_watched
    }
}

/// Whether a queue of `max` messages counts as full at this length: its consumers take some between
/// a nack and the answer, and its publishers add some between two answers.
pub(super) fn is_full(depth: usize, max: usize) -> bool {
    depth >= max - max / 10
}
