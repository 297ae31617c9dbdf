//! The judge: compares what buyers were told with the server's ledger.
//!
//! It sees what a client can see, HTTP and the exported ledger, and shares no code with what
//! sells: whatever `sale` gets wrong, this has to find.

mod history;
mod ids;
mod invariant;
mod ledger;
mod reconcile;
mod verdict;

pub use history::{Entry, History, Told};
pub use ids::{AttemptNo, Ids};
pub use invariant::{Invariant, Violation, WITNESSES_MAX};
pub use ledger::{Ledger, LedgerError, LedgerReader, Row, Status};
pub use reconcile::reconcile;
pub use verdict::{Audit, Verdict};
