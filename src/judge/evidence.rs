//! [`audit`]: judges a run from its evidence, in the same way whether it has just ended or was
//! recorded.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::{History, Ledger, Row};
use crate::stats::Quantiles;

use super::reconcile::reconcile;
use super::verdict::Audit;

/// The gaps in the evidence of a run, each with its reason; `None` for evidence that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Why the server ended during the run: it could not be asked for anything afterwards.
    #[serde(default)]
    pub server: Option<String>,
    /// Why the ledger before the run is not known.
    pub ledger_before: Option<String>,
    /// Why it is not certain that everything was decided when the ledger was read.
    pub settled: Option<String>,
    /// Why the ledger after the run is not known.
    pub ledger: Option<String>,
}

/// Judges a run. Without a ledger from before and after it, nothing can be concluded.
pub fn audit(history: &History, ledger: Option<&Ledger>, gaps: &Gaps) -> Audit {
    if let Some(because) = &gaps.server {
        return Audit::undecided(history, because.clone());
    }
    if let Some(because) = &gaps.ledger_before {
        let because = format!("the ledger could not be read before the run: {because}");
        return Audit::undecided(history, because);
    }
    if history.is_empty() {
        return Audit::undecided(history, "no attempt was made".to_owned());
    }
    let Some(ledger) = ledger else {
        let because = gaps.ledger.as_deref().unwrap_or("it was not recorded");
        return Audit::undecided(history, format!("the ledger could not be read: {because}"));
    };
    let mut audit = reconcile(history, ledger, gaps.settled.is_none());
    if let (Some(because), Some(reason)) = (&gaps.settled, &mut audit.because) {
        reason.clone_from(because);
    }
    audit
}

/// Times from acceptance to decision, by the tested system's clock, of the run's own attempts.
pub fn settle_times(history: &History, ledger: &Ledger) -> Quantiles {
    let is_ours = |row: &&Row| {
        history.ids.attempt(&row.request_id).is_some()
            && !history.before.contains_key(&row.request_id)
    };
    let times = ledger.rows.iter().filter(is_ours).filter_map(|row| row.settle_us());
    Quantiles::of_durations(times.map(Duration::from_micros))
}
