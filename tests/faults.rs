//! Engines and processes fail while a load runs: nothing that was accepted is lost, nothing is
//! decided twice, whoever asks is answered in time, and the service comes back by itself. What is
//! not installed here is skipped, and said to be.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so when it fails")]
#![allow(dead_code, unused_imports, reason = "other tests use more of the support")]

mod support;

#[path = "support/child.rs"]
mod child;
#[path = "support/client.rs"]
mod client;
#[path = "support/site.rs"]
mod site;

#[path = "faults/broker.rs"]
mod broker;
#[path = "faults/drill.rs"]
mod drill;
#[path = "faults/processes.rs"]
mod processes;
#[path = "faults/redelivery.rs"]
mod redelivery;
#[path = "faults/store.rs"]
mod store;
