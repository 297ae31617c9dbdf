//! Moments and numbers that are just at a limit of a rule, or just beyond it.

mod decided;
mod hours;
mod ledger;
mod reads;
mod results;
mod rows;
mod sold_out;
mod stock;
mod told;
mod views;
