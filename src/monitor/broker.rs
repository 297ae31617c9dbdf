//! A broker's own figures, from the page of RabbitMQ's Prometheus plugin: how many connections it
//! holds, and how many it can hold.

use std::convert::Infallible;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;

use super::prometheus::{PageError, PrometheusPage, metric};

/// How often the page is fetched during a run.
const INTERVAL: Duration = Duration::from_secs(1);

/// The metrics that are read.
const CONNECTIONS: &str = "rabbitmq_connections";
const CONNECTIONS_OPENED: &str = "rabbitmq_connections_opened_total";
const SOCKETS: &str = "rabbitmq_process_open_tcp_sockets";
const SOCKETS_MAX: &str = "rabbitmq_process_max_tcp_sockets";

/// A broker's connections during a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerUsage {
    /// Most that were open at a time.
    pub connections_max: u64,
    /// Most that it can have open, by its limit of open files.
    pub connections_limit: Option<u64>,
    /// How many were opened.
    pub connections_opened: u64,
}

/// Reads a broker's page during a run.
#[derive(Debug)]
pub struct BrokerMonitor {
    page: PrometheusPage,
}

impl BrokerMonitor {
    /// Prepares to read the page at this URL; sends nothing yet.
    ///
    /// # Errors
    /// When the URL is none of HTTP, or the HTTP client cannot be set up.
    pub fn new(url: &str) -> Result<Self, PageError> {
        Ok(Self { page: PrometheusPage::new(url)? })
    }

    /// The URL of the page, without user and password.
    pub fn shown_url(&self) -> String {
        self.page.shown()
    }

    /// Reads the page once, so that a wrong URL is known before the run.
    ///
    /// # Errors
    /// When it cannot be read, or is not a page of RabbitMQ.
    pub async fn check(&self) -> Result<(), PageError> {
        let page = self.page.fetch().await?;
        figures(&page).map(drop).ok_or(PageError::Lacks(CONNECTIONS))
    }

    /// Reads the page once a second until dropped, and keeps the highest figures in `usage`. A
    /// page that cannot be read is skipped, since a broker at its limit may not answer.
    pub async fn watch(&self, usage: &mut Option<BrokerUsage>) -> Infallible {
        let mut opened_before = None;
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Ok(page) = self.page.fetch().await else { continue };
            let Some(now) = figures(&page) else { continue };
            let first = *opened_before.get_or_insert(now.connections_opened);
            let so_far = usage.unwrap_or_default();
            *usage = Some(BrokerUsage {
                connections_max: so_far.connections_max.max(now.connections_max),
                connections_limit: now.connections_limit,
                connections_opened: now.connections_opened.saturating_sub(first),
            });
        }
    }
}

/// A connection that the broker is still opening counts as a socket, not yet as a connection.
fn figures(page: &str) -> Option<BrokerUsage> {
    Some(BrokerUsage {
        connections_max: metric(page, CONNECTIONS)?.max(metric(page, SOCKETS).unwrap_or(0)),
        connections_limit: metric(page, SOCKETS_MAX),
        connections_opened: metric(page, CONNECTIONS_OPENED)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_from_the_page_and_sockets_count_as_connections() {
        let page = "# TYPE rabbitmq_connections gauge\nrabbitmq_connections 3\n\
                    rabbitmq_connections_opened_total 9\nrabbitmq_process_open_tcp_sockets 4\n\
                    rabbitmq_process_max_tcp_sockets 829\n";
        let expected =
            BrokerUsage { connections_max: 4, connections_limit: Some(829), connections_opened: 9 };
        assert_eq!(figures(page), Some(expected));
        assert_eq!(figures("rabbitmq_connections 3"), None);
    }
}
