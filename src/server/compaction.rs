//! Keeps memory and disk of the engines of this process from growing without end: replaced sales
//! are dropped after a while, and the journal is compacted.

use std::sync::Arc;
use std::time::Duration;

use super::app::App;
use super::engines::Engines;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Decisions that are removed in one step of the store, which does nothing else meanwhile.
const STEP_MAX: usize = 256;

/// Pause after a failure: the disk may be full, and each copy that is begun costs time.
const PAUSE_FAILED: Duration = Duration::from_secs(60);

/// Drops sales that were replaced so long ago, and compacts the journal when that is worthwhile,
/// until dropped. Nothing is dropped during a compaction: see `store/embedded/needed.rs`.
pub(super) async fn run(app: Arc<App>, keep_replaced: Duration) {
    let mut pause = PAUSE;
    loop {
        tokio::time::sleep(pause).await;
        pause = PAUSE;
        if let Some(store) = Engines::of(&app).store {
            while store.drop_replaced(keep_replaced, STEP_MAX).unwrap_or(false) {
                tokio::task::yield_now().await;
            }
        }
        if !Engines::of(&app).should_compact() {
            continue;
        }
        let compacted = Arc::clone(&app);
        let compacting = tokio::task::spawn_blocking(move || Engines::of(&compacted).compact());
        if let Ok(Err(error)) = compacting.await {
            tracing::warn!(%error, "the journal was not compacted, will retry");
            pause = PAUSE_FAILED;
        }
    }
}
