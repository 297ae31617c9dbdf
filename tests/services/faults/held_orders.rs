//! Orders expire and are paid for while Redis and consumers are killed.

use std::time::Duration;

use seckill::lab::Redis;
use seckill::profile::{BenchFlags, Think};
use seckill::settings::Buyers;
use seckill::units::Count;

use crate::support::backend::Backend;
use crate::support::client::{self, Loading, Sale, wait_ready};
use crate::support::deployment::Deployment;

const STOCK: u64 = 20;

/// Kills of each kind.
const ROUNDS: u64 = 3;

/// Attempts between two faults.
const SOME: u64 = 150;

/// A few buyers who come again and again, and pay for most of their orders, some too late.
pub(crate) fn paying_buyers() -> BenchFlags {
    BenchFlags {
        threads: Some(Count(12)),
        loops: Some(Count(100_000)),
        buyers: Some(Buyers::Pool(60)),
        think: Some(Think::Constant(Duration::from_millis(10))),
        pay: Some("60%".parse().unwrap()),
        pay_after: Some("0s..500ms".parse().unwrap()),
        ..client::flags()
    }
}

/// Ends the load of paying buyers, and asserts that the audit passes, that somebody has paid, and
/// that each unit is left or paid for once no order is held.
#[track_caller]
pub(crate) fn assert_each_unit_is_sold_once(sale: &Sale, loading: Loading) {
    let mut history = loading.end().history;
    let audit = sale.assert_audit_passes(&mut history);
    let payments = audit.payments.expect("somebody has paid");
    assert!(payments.paid > 0, "{payments:?}");
    sale.assert_units_add_up_after_expiry();
}

#[test]
fn no_unit_comes_back_twice_when_redis_and_consumers_are_killed() {
    let Some(backend) = Backend::real() else { return };
    let mut redis = Redis::start().unwrap();
    let deployment = Deployment::new(backend.with_store(&redis), None);
    let hold = ["--hold", "300ms"];
    let api = deployment.serve("api", &hold);
    // Both sweep the same orders.
    let _other = deployment.serve("consumer", &hold);
    let mut consumer = deployment.serve("consumer", &hold);
    let sale = Sale::open(&api.url, "tea", STOCK);
    let loading = sale.load(&paying_buyers());
    for _ in 0..ROUNDS {
        loading.wait_for(SOME);
        consumer.kill();
        loading.wait_for(SOME);
        consumer = deployment.serve("consumer", &hold);
        loading.wait_for(SOME);
        redis.service_mut().kill().unwrap();
        redis.service_mut().restart().unwrap();
        wait_ready(&api.url);
    }
    loading.wait_for(SOME);
    assert_each_unit_is_sold_once(&sale, loading);
}
