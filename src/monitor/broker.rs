//! The broker's own figures, from the page that RabbitMQ's Prometheus plugin has: how many
//! connections it holds, and how many it can.

use std::time::Duration;

use reqwest::{Client, ClientBuilder};

use crate::lab::metric;

/// How often the page is read during a run.
const LOOK: Duration = Duration::from_secs(1);

/// Longest time for the page.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest page, in bytes.
const PAGE_LEN_MAX: usize = 4 << 20;

/// The lines of the page that count.
const OPEN: &str = "rabbitmq_connections";
const OPENED: &str = "rabbitmq_connections_opened_total";
const SOCKETS: &str = "rabbitmq_process_open_tcp_sockets";
const SOCKETS_MAX: &str = "rabbitmq_process_max_tcp_sockets";

/// A broker's connections during a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Broker {
    /// Most that were open at a time.
    pub connections_max: u64,
    /// Most that it can have open, by its limit of open files.
    pub connections_limit: Option<u64>,
    /// How many were opened.
    pub connections_opened: u64,
}

/// Reads the page until dropped, and keeps the highest figures in `seen`.
///
/// # Errors
/// When no client can be made.
pub async fn watch(
    client: ClientBuilder,
    url: &str,
    seen: &mut Option<Broker>,
) -> reqwest::Result<std::convert::Infallible> {
    let client = client.timeout(TIMEOUT).build()?;
    let mut before = None;
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(page) = page(&client, url).await else { continue };
        let Some(now) = figures(&page) else { continue };
        let first = *before.get_or_insert(now.connections_opened);
        let so_far = seen.unwrap_or_default();
        *seen = Some(Broker {
            connections_max: so_far.connections_max.max(now.connections_max),
            connections_limit: now.connections_limit,
            connections_opened: now.connections_opened.saturating_sub(first),
        });
    }
}

async fn page(client: &Client, url: &str) -> Option<String> {
    let mut response = client.get(url).send().await.ok()?;
    let mut page = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        page.extend_from_slice(&piece);
        if page.len() > PAGE_LEN_MAX {
            return None;
        }
    }
    String::from_utf8(page).ok()
}

/// A connection that the broker is still opening counts as a socket, not yet as a connection.
fn figures(page: &str) -> Option<Broker> {
    Some(Broker {
        connections_max: metric(page, OPEN)?.max(metric(page, SOCKETS).unwrap_or(0)),
        connections_limit: metric(page, SOCKETS_MAX),
        connections_opened: metric(page, OPENED)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_read() {
        let page = "# TYPE rabbitmq_connections gauge\nrabbitmq_connections 3\n\
                    rabbitmq_connections_opened_total 9\nrabbitmq_process_open_tcp_sockets 4\n\
                    rabbitmq_process_max_tcp_sockets 829\n";
        let expected =
            Broker { connections_max: 4, connections_limit: Some(829), connections_opened: 9 };
        assert_eq!(figures(page), Some(expected));
        assert_eq!(figures("rabbitmq_connections 3"), None);
    }
}
