//! Single modules of the library through their interfaces: no server, no other process, no network.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

mod audit;
mod history;
mod http_client;
mod journal;
mod report;
mod report_files;
