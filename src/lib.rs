//! Serves a flash sale, loads it like JMeter, and judges whether it sold exactly what it had.
//!
//! ARCHITECTURE.md shows the two flows and the floors that these modules stand on.

pub mod api;
pub mod archive;
pub mod bench;
pub mod cli;
pub mod clock;
pub mod escape;
pub mod faults;
pub mod flaws;
pub mod gradual_map;
pub mod history;
pub mod http_client;
pub mod ids;
pub mod journal;
pub mod judge;
pub mod lab;
pub mod load;
pub mod monitor;
pub mod packed_name;
pub mod profile;
pub mod queue;
pub mod random;
pub mod report;
pub mod sale;
pub mod secret;
pub mod server;
pub mod settings;
pub mod similar;
pub mod split_table;
pub mod stats;
pub mod store;
pub mod sut;
pub mod tls;
pub mod units;
