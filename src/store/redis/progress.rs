//! Tells those who wait for a decision that some were made, by whatever process.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::keys::Keys;
use super::link::Link;

/// How often the server is asked while somebody waits: what a decision is told late at the most.
const LOOK: Duration = Duration::from_millis(20);

/// How often it is asked, at the least, which items there are.
const LOOK_AT_ITEMS: u32 = 50;

/// See the module.
#[derive(Debug)]
pub(super) struct Progress {
    changed: watch::Sender<()>,
    watching: AbortHandle,
}

impl Progress {
    pub(super) fn watch(link: &Link) -> Self {
        let changed = watch::Sender::new(());
        let watching = tokio::spawn(watch(link.clone(), changed.clone())).abort_handle();
        Self { changed, watching }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

async fn watch(link: Link, changed: watch::Sender<()>) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen: Vec<Option<u64>> = Vec::new();
    for tick in 0u32.. {
        ticks.tick().await;
        if tick.is_multiple_of(LOOK_AT_ITEMS) {
            // One that fails is logged where it failed; the next may not.
            let _ = link.items().await;
        }
        let items = link.last_items();
        if changed.receiver_count() == 0 || items.is_empty() {
            continue;
        }
        // One by one: in a cluster, items are in different slots.
        let mut now = Vec::with_capacity(items.len());
        for item in &items {
            let mut get = redis::cmd("GET");
            now.push(link.ask(get.arg(Keys::of(item).progress())).await.unwrap_or_default());
        }
        if now != seen {
            changed.send_replace(());
            seen = now;
        }
    }
}
