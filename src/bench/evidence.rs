//! Gathers the evidence after the load: waits until everything is decided, and reads results and
//! the ledger.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::history::History;
use crate::sut::Control;
use crate::units::Span;

/// Pause between two reads of the state of the sale.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);

/// Maximum number of results that are polled after a run: one after the other, they take some
/// tenths of a second.
const RESULTS_MAX: usize = 1_000;

/// Waits until nothing is queued.
///
/// # Errors
/// The reason why that is not certain when the time is up.
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

/// Polls the results of accepted attempts, as buyers would, in addition to those that buyers polled
/// during the run. A request without an answer adds nothing.
pub(super) async fn poll_results(control: &Control, history: &mut History) {
    let ids: Vec<_> = history.to_poll(RESULTS_MAX).collect();
    for request_id in ids {
        match control.result(request_id).await {
            Ok(status) => history.results.push((request_id, status)),
            Err(_) => break,
        }
    }
}
