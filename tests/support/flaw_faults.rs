//! Failures of services and processes that bring out the flaws which a load alone does not show.
//!
//! In each, `begin` opens a sale at the given address and begins to load it with [`ATTEMPTS`]
//! attempts; `end` judges it while the servers still run.

use std::time::Duration;

use rustix::process::Signal;
use seckill::flaws::{Design, Flaw, Flaws};
use seckill::lab::{RabbitMq, Redis};
use seckill::secret::Secret;

use super::backend::Backend;
use super::child::{eventually, signal};
use super::client::{Sale, TOKEN, block_on, wait_ready};
use super::deployment::Deployment;
use super::manual_server::ManualServer;

/// Attempts of the load.
pub(crate) const ATTEMPTS: u64 = 30;

/// How many of them a consumer decides that dies.
const DECIDED: usize = 4;

/// How long the broker is suspended after the last attempt was announced: longer than
/// `resend-under-new-id` waits for a confirm, and shorter than a publish may take.
const SUSPENDED: Duration = Duration::from_millis(700);

fn wait_queued(sale: &Sale) {
    eventually("all attempts are queued", || sale.status().queued == ATTEMPTS);
}

/// Kills Redis while attempts are queued, and starts it again after a consumer has tried them.
pub(crate) fn store_killed<L, R>(
    deployment: &Deployment,
    redis: &mut Redis,
    begin: impl FnOnce(&str) -> (Sale, L),
    end: impl FnOnce(Sale, L) -> R,
) -> R {
    let api = deployment.serve("api", &[]);
    let consumer = deployment.serve("consumer", &["--log", "warn,seckill::server=debug"]);
    signal(consumer.child.id(), Signal::STOP);
    let (sale, load) = begin(&api.url);
    wait_queued(&sale);
    deployment.wait_confirmed();
    redis.service_mut().kill().unwrap();
    signal(consumer.child.id(), Signal::CONT);
    eventually("a consumer has tried to decide", || {
        let log = consumer.log();
        log.contains("the transaction failed") || log.contains("batch not decided")
    });
    redis.service_mut().restart().unwrap();
    wait_ready(&api.url);
    end(sale, load)
}

/// Kills the broker while attempts are queued in it, and starts it again.
pub(crate) fn broker_killed<L, R>(
    deployment: &Deployment,
    broker: &mut RabbitMq,
    begin: impl FnOnce(&str) -> (Sale, L),
    end: impl FnOnce(Sale, L) -> R,
) -> R {
    let api = deployment.serve("api", &[]);
    let (sale, load) = begin(&api.url);
    wait_queued(&sale);
    deployment.wait_confirmed();
    broker.service_mut().kill().unwrap();
    broker.service_mut().restart().unwrap();
    wait_ready(&api.url);
    let _consumer = deployment.serve("consumer", &[]);
    end(sale, load)
}

/// Suspends the broker while attempts are published.
pub(crate) fn broker_suspended<L, R>(
    deployment: &Deployment,
    broker: &mut RabbitMq,
    begin: impl FnOnce(&str) -> (Sale, L),
    end: impl FnOnce(Sale, L) -> R,
) -> R {
    let server = deployment.serve("all", &[]);
    broker.service_mut().suspend().unwrap();
    let (sale, load) = begin(&server.url);
    wait_queued(&sale);
    std::thread::sleep(SUSPENDED);
    broker.service_mut().resume().unwrap();
    end(sale, load)
}

/// Some attempts are decided twice, because their consumer dies before it acknowledges them.
pub(crate) fn consumer_dies<L, R>(
    backend: Backend,
    flaw: Option<Flaw>,
    begin: impl FnOnce(&str) -> (Sale, L),
    end: impl FnOnce(Sale, L) -> R,
) -> R {
    let flaws = Flaws::of(Design::Hardened, flaw.as_slice());
    let opened = ManualServer::open_with(backend.clone(), |config| {
        *config = backend.config(&config.data, &flaws);
        config.admin_token = Some(Secret(TOKEN.into()));
    });
    let mut server = block_on(opened);
    let (sale, load) = begin(&server.url);
    wait_queued(&sale);
    block_on(async {
        let batch = server.next(DECIDED).await;
        let (batch, decided) = server.commit(batch).await;
        assert!(!decided.is_empty());
        drop(batch);
        server.die();
        server.decide(ATTEMPTS as usize, 100).await;
    });
    end(sale, load)
}
