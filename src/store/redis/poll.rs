//! Asks the server for the decisions that somebody waits for: any process may have made them.
//!
//! What is withdrawn is told by the process that withdraws; who waits for it elsewhere finds out
//! when the time is up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use crate::ids::{ItemId, RequestId};

use super::super::StoreError;
use super::super::waiters::Waiters;
use super::keys::Keys;
use super::link::Link;
use super::records::decided;

/// Pause between two looks: what a decision of another process is told late, while few wait.
const PAUSE: Duration = Duration::from_millis(20);

/// The pause is this many times as long as the look before: however many wait, the server has most
/// of its time for deciding.
const PAUSE_PER_LOOK: u32 = 4;

/// Longest pause: a server that did not answer is asked again after it.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// How many attempts are asked for in one call: Redis does nothing else meanwhile.
const BATCH: usize = 1_000;

/// How often it is asked, at the least, which items there are.
const LOOK_AT_ITEMS: Duration = Duration::from_secs(1);

/// Asks until dropped.
#[derive(Debug)]
pub(super) struct Poll {
    polling: AbortHandle,
}

impl Poll {
    pub(super) fn start(link: &Link, waiters: &Arc<Waiters>) -> Self {
        let (link, waiters) = (link.clone(), Arc::clone(waiters));
        let poll = async move { tokio::join!(look_at_items(&link), poll(&link, &waiters)) };
        Self { polling: tokio::spawn(poll).abort_handle() }
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.polling.abort();
    }
}

async fn look_at_items(link: &Link) {
    let mut ticks = tokio::time::interval(LOOK_AT_ITEMS);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // One that fails is logged where it failed; the next may not.
        let _ = link.items().await;
    }
}

async fn poll(link: &Link, waiters: &Waiters) {
    loop {
        let begun = Instant::now();
        // One that fails is logged where it failed; what it did not ask for, the next does.
        let _ = look(link, waiters).await;
        let pause = (begun.elapsed() * PAUSE_PER_LOOK).clamp(PAUSE, PAUSE_MAX);
        tokio::time::sleep(pause).await;
    }
}

async fn look(link: &Link, waiters: &Waiters) -> Result<(), StoreError> {
    for (item, request_ids) in waiters.by_item() {
        // One call after the other: other commands go between them.
        for some in request_ids.chunks(BATCH) {
            ask(link, waiters, &item, some).await?;
        }
    }
    Ok(())
}

/// Asks for the decisions of attempts at one item, and tells those that there are.
async fn ask(
    link: &Link,
    waiters: &Waiters,
    item: &ItemId,
    request_ids: &[RequestId],
) -> Result<(), StoreError> {
    let mut get = redis::cmd("HMGET");
    get.arg(Keys::of(item).decided());
    for request_id in request_ids {
        get.arg(request_id.to_string());
    }
    let records: Vec<Option<String>> = link.ask(&get).await?;
    let mut told = Vec::new();
    for (request_id, record) in request_ids.iter().zip(records) {
        match record.as_deref().map(decided) {
            None => {}
            Some(Ok(decided)) => told.push(Arc::new(decided)),
            // It would be no better the next time: who waits is told that the store is not well.
            Some(Err(_)) => waiters.send_to_look(request_id),
        }
    }
    waiters.tell(&told);
    Ok(())
}
