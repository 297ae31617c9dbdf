//! The history of a run, as observed from outside: what the clients sent, the answers, and the
//! ledger that the tested system exports. The load generator writes it, the judge reads it, and
//! neither knows the other. It knows no API and draws no conclusion.

mod attribute;
mod file;
mod found;
mod ids;
mod ledger;
mod line;
mod order;
mod record;
mod refusals;
mod tells;
mod views;

pub use attribute::{attribute, buyer_by_uuid};
pub use file::{HistoryError, VERSION};
pub use found::{Found, FoundStatus};
pub use ids::{AttemptNo, Ids};
pub use ledger::{Hours, Ledger, Loss, Row, SaleTerms, Status};
pub use order::{OrderState, OrderStatus, Payment, PaymentAnswer};
pub use record::{Answered, Beginning, Entry, FinalRefusal, History};
pub use refusals::{Refusals, Refused, RequestWindow, SAMPLE_MAX, Tally};
pub use tells::Tells;
pub use views::{Asked, NoState, ResultRead, SaleView, Stage, Standstill, VIEWS_MAX, View, Views};
