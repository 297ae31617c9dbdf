//! After the load: waits until everything is decided, and reads results and the ledger.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::history::{History, Ledger};
use crate::sut::Control;
use crate::units::Span;

/// Pause between two looks at the queue.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);

/// Most results that are asked for after a run: one after the other, in some tenths of a second.
const RESULTS_MAX: usize = 1_000;

/// Waits until nothing is queued.
///
/// # Errors
/// Why that is not certain when the time is up.
pub(super) async fn settle(control: &Control, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    let mut problem = "the server did not answer".to_owned();
    loop {
        match timeout_at(deadline, control.sale()).await {
            Ok(Ok(sale)) if sale.queued == 0 => return Ok(()),
            Ok(Ok(sale)) => problem = format!("{} attempts were still queued", sale.queued),
            Ok(Err(_)) => problem = "the server did not answer".to_owned(),
            // The deadline passed during a call: the state that was read last stands.
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            return Err(format!("{problem} {} after the run", Span(limit)));
        }
        sleep(SETTLE_INTERVAL).await;
    }
}

/// Asks, as buyers would, for the results of accepted attempts, besides those that buyers asked for
/// during the run. Without an answer, nothing is known.
pub(super) async fn ask_results(control: &Control, history: &mut History) {
    let ids: Vec<_> = history.to_poll(RESULTS_MAX).collect();
    for request_id in ids {
        match control.result(request_id).await {
            Ok(status) => history.results.push((request_id, status)),
            Err(_) => break,
        }
    }
}

/// Reads the ledger after the run; `copy` gets its bytes.
///
/// # Errors
/// Why it could not be read.
pub(super) async fn ledger(control: &Control, copy: impl FnMut(&[u8])) -> Result<Ledger, String> {
    control.ledger(copy).await.map_err(|error| error.to_string())
}
