//! Moments and numbers that are just at a limit of a rule, or just beyond it.

mod decided;
mod hours;
mod ledger;
mod reads;
mod rows;
mod told;
mod views;
