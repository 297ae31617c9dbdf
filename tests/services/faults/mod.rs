//! Engines and processes fail while a load runs: nothing that was accepted is lost, nothing is
//! decided twice, whoever asks is answered in time, and the service comes back by itself. What is
//! not installed here is skipped, and said to be.

mod broker;
mod drill;
mod processes;
mod redelivery;
mod store;
