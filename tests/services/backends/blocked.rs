//! A broker that blocks its publishers, as it does when it is short of memory.

use std::time::Instant;

use seckill::lab::{RabbitMq, RabbitMqOptions};

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::{assert_refused, id};

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_refused_at_once_while_the_broker_blocks_publishers() {
    let Some(backend) = Backend::real() else { return };
    let config = "vm_memory_high_watermark.absolute = 1MB\n".to_owned();
    let broker = RabbitMq::start(RabbitMqOptions { config, ..RabbitMqOptions::default() }).unwrap();
    let limit = std::time::Duration::from_secs(1);
    let server = ManualServer::open_with(backend, |config| {
        if let Some(options) = &mut config.broker {
            options.url = broker.url().parse().unwrap();
            options.publish_timeout = limit;
        }
    })
    .await;
    let begun = Instant::now();
    // The broker announces the block at the first publish, and leaves that publish unconfirmed.
    for number in 1..20 {
        let refused = server.buy("bob", &id(number)).await;
        assert_refused(&refused, 503, "broker_unavailable");
        assert_eq!(server.result(&id(number)).await.code, 404, "no effect");
    }
    assert!(begun.elapsed() < 19 * limit / 2, "a request waited for the broker");
    let ready = server.get("/readyz").await;
    assert_eq!((ready.code, &ready.json()["queue"]), (503, &"unavailable".into()));
    assert_eq!(ready.json()["store"], "ok");
}
