//! The server, from a single request to restarts: its answers, its decisions and their order, and
//! what survives a restart.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod compaction;
mod connection_slots;
mod deciding_thread;
mod hostile_clients;
mod http;
mod known_ids;
mod ledger;
mod limits;
mod long_poll;
mod model;
mod orders;
mod overload;
mod plain;
mod purchase;
mod queue;
mod race;
mod refusal;
mod restart;
mod result;
mod shutdown;
mod slow_readers;
mod start;
mod store;
mod store_orders;
mod ticket_life;
mod tombstones;
mod waiting_room;
