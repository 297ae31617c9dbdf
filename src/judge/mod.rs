//! The judge: compares what buyers were answered with the ledger of the tested system, and decides
//! whether a run is valid. Pure: it does no I/O and reads no clock.
//!
//! It knows only what a client can observe, and shares no code with `sale`, so that it finds an
//! error there instead of repeating it.

mod bounds;
mod cause;
mod certain;
mod dead_letters;
mod evidence;
mod exit;
mod explain;
mod facts;
mod fairness;
mod id_map;
mod invariant;
mod likely_cause;
mod lost_during;
mod made;
mod missing;
mod not_checked;
mod order;
mod order_ends;
mod origin;
mod payments;
mod reconcile;
mod rules;
mod server_clock;
mod sums;
mod threshold;
mod told;
mod unaccounted;
mod validity;
mod verdict;

pub use bounds::Bounds;
pub use cause::{BrokerConnections, Cause, cause};
pub use dead_letters::DeadLetters;
pub use evidence::{Gaps, audit, settle_times};
pub use exit::{Conclusion, exit_code};
pub use fairness::Fairness;
pub use invariant::{Invariant, Violation, WITNESSES_MAX};
pub use lost_during::lost_during;
pub use not_checked::NotChecked;
pub use order_ends::OrderEnds;
pub use payments::Payments;
pub use reconcile::reconcile;
pub use threshold::{
    Comparison, Expression, ExpressionError, Figures, Metric, Process, ProcessFigures, Statistic,
    Threshold, ThresholdResult, Times, Unit,
};
pub use validity::{GeneratorLoad, Invalid, validity};
pub use verdict::{Audit, Verdict};
