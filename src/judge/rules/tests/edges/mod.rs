//! Moments and numbers that are just at a limit of a rule, or just beyond it.

mod decided;
mod hours;
mod ledger;
mod listed;
mod listed_rows;
mod listed_told;
mod listed_views;
mod missing;
mod parts;
mod reads;
mod results;
mod rows;
mod sold_out;
mod told;
mod views;
