//! After the run: settle, read the ledger, reconcile.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::judge::{Audit, reconcile};
use crate::history::{History, Row, Status};
use crate::ids::RequestId;
use crate::stats::Quantiles;
use crate::units::Span;

use super::control::Control;

/// Pause between two looks at the queue.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Results that are asked for after a run at the most: one after the other, in some tenths of a
/// second.
const RESULTS_MAX: usize = 1_000;

/// The audit, and the times from acceptance to decision.
pub(super) struct Judged {
    pub(super) audit: Audit,
    pub(super) settle: Quantiles,
}

/// Judges a run. `before` says whether the ledger could be read before it: without that nothing
/// can be concluded.
pub(super) async fn judge(
    control: &Control,
    history: &mut History,
    before: Result<(), String>,
    settle_timeout: Duration,
) -> Judged {
    let unknown = |history: &History, because| Judged {
        audit: Audit::undecided(history, because),
        settle: Quantiles::default(),
    };
    if let Err(because) = before {
        return unknown(history, because);
    }
    if history.sent.iter().all(|sent| *sent == 0) {
        return unknown(history, "no attempt was made".to_owned());
    }
    let settled = settled(control, settle_timeout).await;
    // Besides what buyers that waited were told.
    let results = results(control, history).await;
    history.results.extend(results);
    match control.ledger().await {
        Ok(ledger) => {
            let mut audit = reconcile(history, &ledger, settled.is_ok());
            if let (Err(because), Some(reason)) = (settled, &mut audit.because) {
                *reason = because;
            }
            let ours = |row: &&Row| {
                history.ids.attempt(&row.request_id).is_some()
                    && !history.before.contains_key(&row.request_id)
            };
            let settle = ledger.rows.iter().filter(ours).filter_map(|row| row.settle_us);
            let settle = Quantiles::of_durations(settle.map(Duration::from_micros));
            Judged { audit, settle }
        }
        Err(error) => unknown(history, format!("the ledger could not be read: {error}")),
    }
}

/// Asks, as buyers would, what became of accepted attempts. An answer that does not come says
/// nothing.
async fn results(control: &Control, history: &History) -> Vec<(RequestId, Option<Status>)> {
    let mut results = Vec::new();
    for request_id in history.to_ask(RESULTS_MAX) {
        match control.result(request_id).await {
            Ok(told) => results.push((request_id, told)),
            Err(_) => break,
        }
    }
    results
}

/// Waits until nothing is queued.
async fn settled(control: &Control, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    let mut problem = "the server did not answer".to_owned();
    loop {
        match timeout_at(deadline, control.sale()).await {
            Ok(Ok(sale)) if sale.queued == 0 => return Ok(()),
            Ok(Ok(sale)) => problem = format!("{} attempts were still queued", sale.queued),
            Ok(Err(_)) => problem = "the server did not answer".to_owned(),
            // In the middle of a call: what was seen last stands.
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            return Err(format!("{problem} {} after the run", Span(limit)));
        }
        sleep(LOOK_AGAIN).await;
    }
}
