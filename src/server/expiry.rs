//! The sweep that expires held orders. It runs in processes that decide, and any number of them may
//! sweep the same store: an order expires once.

use std::sync::Arc;
use std::time::Duration;

use super::app::App;

/// Orders that expire in one step of the store, which does nothing else meanwhile.
const STEP_MAX: usize = 256;

/// Pause between two sweeps: an order expires so much after its deadline at the most, while the
/// store answers.
const PAUSE: Duration = Duration::from_millis(100);

/// Pause after a failure of the store.
const PAUSE_FAILED: Duration = Duration::from_secs(1);

/// Expires orders when they are due, until dropped.
pub(super) async fn run(app: Arc<App>) {
    loop {
        let pause = match app.store.expire_due(app.clock.now_us(), STEP_MAX).await {
            Ok(due) if due == STEP_MAX => Duration::ZERO,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::debug!(%error, "due orders have not expired, will retry");
                PAUSE_FAILED
            }
        };
        tokio::time::sleep(pause).await;
    }
}
