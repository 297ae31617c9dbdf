//! What needs real services: RabbitMQ, Redis and nginx, which the tests start on free ports. Tests
//! of a service that is not installed are skipped and say so.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

#[path = "../support/mod.rs"]
mod support;

mod backends;
mod buckets;
mod described;
mod faults;
mod flaws;
mod lab;
mod nginx;
