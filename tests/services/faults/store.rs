//! Redis is killed.

use rustix::process::Signal;
use seckill::lab::Redis;

use super::drill::{Drill, count};
use crate::support::backend::Backend;
use crate::support::child::signal;
use crate::support::deployment::Deployment;

/// Attempts made while no consumer runs, and while there is no store.
const DURING_FAULT: u64 = 200;

#[test]
fn service_recovers_after_redis_is_killed() {
    let Some(backend) = Backend::real() else { return };
    let mut redis = Redis::start().unwrap();
    let deployment = Deployment::new(backend.with_store(&redis), None);
    let api = deployment.serve("api", &[]);
    let consumer = deployment.serve("consumer", &[]);
    let drill = Drill::begin(&api.url);
    // Suspended, so that attempts are queued when the store disappears.
    signal(consumer.child.id(), Signal::STOP);
    drill.wait_for_attempts(DURING_FAULT);
    redis.service_mut().kill().unwrap();
    signal(consumer.child.id(), Signal::CONT);
    drill.wait_for_answer("store_unavailable");
    drill.wait_for_attempts(DURING_FAULT);
    redis.service_mut().restart().unwrap();
    let drilled = drill.end(&["http_500"]);
    assert!(count(&drilled.summary, "store_unavailable") > 0, "{drilled:?}");
}
