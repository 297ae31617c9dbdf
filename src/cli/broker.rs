//! Reading a broker's figures during a run, and saying so where they cannot be read.

use std::future::pending;

use crate::monitor::{BrokerMonitor, BrokerUsage};

use super::say;

/// Keeps a broker's highest figures in `usage` until dropped; without a URL it does nothing.
pub(super) async fn watch(url: Option<&str>, usage: &mut Option<BrokerUsage>) {
    let Some(url) = url else { return pending().await };
    match BrokerMonitor::new(url) {
        Ok(monitor) => match monitor.watch(usage).await {},
        Err(error) => {
            say(format!("the broker's figures cannot be read: {error}"));
            pending().await
        }
    }
}
