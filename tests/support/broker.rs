//! A broker's own figures, read from its metrics page.

use seckill::lab::RabbitMq;
use seckill::monitor::{PageError, PrometheusPage, metric};

/// How many connections are open now. One counts from `connection.open` on, after the login.
pub(crate) fn connections(broker: &RabbitMq) -> u64 {
    read(broker, "rabbitmq_connections").unwrap()
}

/// How many connections have been opened since the broker's start.
pub(crate) fn connections_opened(broker: &RabbitMq) -> u64 {
    read(broker, "rabbitmq_connections_opened_total").unwrap()
}

/// The value of one metric; an error if the page cannot be fetched.
pub(crate) fn read(broker: &RabbitMq, name: &str) -> Result<u64, PageError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    #[cfg(feature = "tls")]
    seckill::tls::install_provider();
    let page = runtime.block_on(PrometheusPage::new(&broker.prometheus_url())?.fetch())?;
    Ok(metric(&page, name).unwrap_or_else(|| panic!("no number {name} on the page:\n{page}")))
}
