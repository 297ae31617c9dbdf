//! Polls the server for the decisions that have waiters here: any process may have made them.
//!
//! A process that withdraws an attempt wakes its own waiters; waiters in other processes learn of
//! it when their time is up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::ids::RequestId;

use super::super::StoreError;
use super::super::waiters::Waiters;
use super::buckets::{Owners, join_all};
use super::link::Link;
use super::records::decided;

/// Pause between two polls, and so the delay of a decision by another process while there are few
/// waiters.
const PAUSE: Duration = Duration::from_millis(20);

/// The pause is this many times as long as the poll before, so that the server has most of its time
/// for deciding, regardless of the number of waiters.
const PAUSE_PER_POLL: u32 = 4;

/// Longest pause, also after a poll that was not answered.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Attempts per call; Redis runs no other command during a call.
const BATCH: usize = 1_000;

/// Polls until dropped.
#[derive(Debug)]
pub(super) struct Poll {
    polling: AbortHandle,
}

impl Poll {
    /// Starts for the buckets behind these links.
    pub(super) fn start(links: &[Link], waiters: &Arc<Waiters>) -> Self {
        let (links, waiters) = (links.to_vec(), Arc::clone(waiters));
        let poll = async move {
            let heartbeats = join_all(links.iter().map(Link::heartbeat));
            tokio::join!(heartbeats, poll(&links, &waiters))
        };
        Self { polling: tokio::spawn(poll).abort_handle() }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

async fn poll(links: &[Link], waiters: &Waiters) {
    let mut owners = Owners::default();
    loop {
        let started = Instant::now();
        // A failure is logged by the link, and the next poll repeats it.
        let _ = poll_once(links, waiters, &mut owners).await;
        let pause = (started.elapsed() * PAUSE_PER_POLL).clamp(PAUSE, PAUSE_MAX);
        tokio::time::sleep(pause).await;
    }
}

async fn poll_once(
    links: &[Link],
    waiters: &Waiters,
    owners: &mut Owners,
) -> Result<(), StoreError> {
    let ids = waiters.ids();
    if let [link] = links {
        return ask_about(link, waiters, &ids).await;
    }
    owners.find(links, &ids).await?;
    for link in links {
        ask_about(link, waiters, &owners.of_bucket(link.keys().number)).await?;
    }
    Ok(())
}

async fn ask_about(
    link: &Link,
    waiters: &Waiters,
    request_ids: &[RequestId],
) -> Result<(), StoreError> {
    // One call after the other, so that Redis can run other commands between them.
    for some in request_ids.chunks(BATCH) {
        ask(link, waiters, some).await?;
    }
    Ok(())
}

/// Reads the decisions on attempts, and notifies their waiters.
async fn ask(link: &Link, waiters: &Waiters, request_ids: &[RequestId]) -> Result<(), StoreError> {
    let mut get = redis::cmd("HMGET");
    get.arg(link.key("decided"));
    for request_id in request_ids {
        get.arg(request_id.to_string());
    }
    let records: Vec<Option<String>> = link.ask(&get).await?;
    let mut found = Vec::new();
    for (request_id, record) in request_ids.iter().zip(records) {
        match record.as_deref().map(decided) {
            None => {}
            Some(Ok(decided)) => found.push(Arc::new(decided)),
            // The record would stay unreadable: the waiter looks the attempt up and gets the error.
            Some(Err(_)) => waiters.wake(request_id),
        }
    }
    waiters.notify(&found);
    Ok(())
}
