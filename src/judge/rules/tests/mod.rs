//! Each rule on a small right run that breaks it alone, and on runs that only look wrong.

mod decided;
mod edges;
mod hold_late;
mod hold_times;
mod hold_views;
mod holds;
mod once;
mod partial;
mod queued;
mod refusals;
mod results;
mod rows;
pub(in crate::judge) mod scene;
mod sold_out;
mod sources;
mod stock;
mod time;
mod views;
mod without_ledger;
mod without_ledger_held;
