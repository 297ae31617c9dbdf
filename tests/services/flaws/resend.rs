//! `resend-under-new-id`: a confirm that is slow makes a second attempt out of one.

use std::time::Duration;

use seckill::flaws::Flaw;
use seckill::judge::{Audit, Invariant};
use seckill::lab::Redis;
use seckill::profile::BenchFlags;
use seckill::units::Count;

use super::{assert_found, count};
use crate::support::backend::Backend;
use crate::support::client::{Sale, flags};
use crate::support::deployment::{Deployment, fragile_broker};

const ATTEMPTS: u64 = 30;

/// How long the broker is suspended: longer than the flaw waits for a confirm, and shorter than a
/// publish may take.
const SUSPENDED: Duration = Duration::from_millis(700);

/// Suspends the broker while attempts are published.
fn slow_confirms(flaw: Option<Flaw>) -> Audit {
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), flaw);
    let server = deployment.serve("all", &[]);
    // The limit is two units per buyer; with one, it would hide the second order.
    let sale = Sale::open_for(&server.url, "tea", 1_000, 2);
    broker.service_mut().suspend().unwrap();
    let loading = sale.load(&BenchFlags { threads: Some(Count(ATTEMPTS)), ..flags() });
    std::thread::sleep(SUSPENDED);
    broker.service_mut().resume().unwrap();
    let mut ran = loading.wait();
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
    deployment.wait_until_earlier_are_decided(&server.url);
    sale.settle();
    sale.audit(&mut ran.history, true)
}

#[test]
fn resend_under_new_id_flaw_makes_orders_that_nobody_asked_for() {
    let Some(_backend) = Backend::real() else { return };
    let audit = slow_confirms(Some(Flaw::ResendUnderNewId));
    assert_found(&audit, Invariant::OrdersWereSent);
    assert_eq!(audit.orders, Some(2 * ATTEMPTS), "{audit:#?}");
    let audit = slow_confirms(None);
    assert_eq!((audit.violations.len(), audit.orders), (0, Some(ATTEMPTS)), "{audit:#?}");
}
