//! `resend-under-new-id`: a confirm that is slow makes a second attempt out of one.

use seckill::flaws::Flaw;
use seckill::judge::{Audit, Invariant};
use seckill::lab::Redis;
use seckill::profile::BenchFlags;
use seckill::units::Count;

use super::{assert_found, count};
use crate::support::backend::Backend;
use crate::support::client::{Loading, Sale, flags};
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::flaw_faults::{ATTEMPTS, broker_suspended};

fn slow_confirms(flaw: Option<Flaw>) -> Audit {
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), flaw);
    let begin = |url: &str| {
        // The limit is two units per buyer; with one, it would hide the second order.
        let sale = Sale::open_for(url, "tea", 1_000, 2);
        let load = sale.load(&BenchFlags { threads: Some(Count(ATTEMPTS)), ..flags() });
        (sale, load)
    };
    let judge = |sale: Sale, loading: Loading| {
        let mut ran = loading.wait();
        assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
        deployment.wait_until_earlier_are_decided(&sale.url);
        sale.settle();
        sale.audit(&mut ran.history, true)
    };
    broker_suspended(&deployment, &mut broker, begin, judge)
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
