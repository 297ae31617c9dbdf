//! After the run: settle, read the ledger, reconcile.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::audit::{Audit, History, Row, Told, Verdict, reconcile};
use crate::stats::Quantiles;

use super::control::Control;

/// Pause between two looks at the queue.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The audit, and the times from acceptance to decision.
pub(super) struct Judged {
    pub(super) audit: Audit,
    pub(super) settle: Quantiles,
}

/// Judges a run. `history` is `None` where the ledger could not be read before it, with the
/// reason: then nothing can be concluded.
pub(super) async fn judge(
    control: &Control,
    history: &History,
    before: Result<(), String>,
    settle_timeout: Duration,
) -> Judged {
    let unknown =
        |because| Judged { audit: undecided(history, because), settle: Quantiles::default() };
    if let Err(because) = before {
        return unknown(because);
    }
    let settled = settled(control, settle_timeout).await;
    match control.ledger().await {
        Ok(ledger) => {
            let mut audit = reconcile(history, &ledger, settled.is_ok());
            if let (Err(because), Some(reason)) = (settled, &mut audit.because) {
                *reason = because;
            }
            let ours = |row: &&Row| history.ids.attempt(&row.request_id).is_some();
            let settle = ledger.rows.iter().filter(ours).filter_map(|row| row.settle_us);
            let settle = Quantiles::of_durations(settle.map(Duration::from_micros));
            Judged { audit, settle }
        }
        Err(error) => unknown(format!("the ledger could not be read: {error}")),
    }
}

/// Waits until nothing is queued.
async fn settled(control: &Control, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    loop {
        let queued = match control.sale().await {
            Ok(sale) if sale.queued == 0 => return Ok(()),
            Ok(sale) => format!("{} attempts were still queued", sale.queued),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= deadline {
            return Err(format!("{queued} {limit:?} after the run"));
        }
        sleep(LOOK_AGAIN).await;
    }
}

fn undecided(history: &History, because: String) -> Audit {
    let unknown = history.entries.iter().filter(|entry| entry.told == Told::Unknown).count();
    let accepted = history.entries.len() - unknown;
    Audit {
        verdict: Verdict::Unknown,
        because: Some(because),
        stock: None,
        stock_left: None,
        orders: None,
        oversold: 0,
        accepted: accepted as u64,
        unresolved: accepted as u64,
        unknown_outcomes: unknown as u64,
        violations: Vec::new(),
    }
}
