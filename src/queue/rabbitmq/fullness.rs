//! Whether the queue is full, for the reason of a refusal.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a count is used: refusals come by the thousand, and each count is a request.
const COUNT_MAX_AGE: Duration = Duration::from_millis(100);

/// How long a count may take. A refusal waits for it.
const COUNT_TIMEOUT: Duration = Duration::from_millis(250);

/// The last answer to the question whether the queue is full.
#[derive(Debug, Default)]
pub(super) struct Fullness(Mutex<Option<(Instant, bool)>>);

impl Fullness {
    /// Whether the queue holds its `max` messages or nearly so: consumers may have taken some since
    /// it refused one. `false` when the broker does not answer.
    pub(super) async fn is_full(
        &self,
        max: usize,
        count: impl Future<Output = Option<usize>>,
    ) -> bool {
        let mut last = self.0.lock().await;
        match *last {
            Some((at, is_full)) if at.elapsed() < COUNT_MAX_AGE => is_full,
            _ => {
                let depth = tokio::time::timeout(COUNT_TIMEOUT, count).await;
                let nearly = max - max / 10;
                let is_full = matches!(depth, Ok(Some(depth)) if depth >= nearly);
                *last = Some((Instant::now(), is_full));
                is_full
            }
        }
    }
}
