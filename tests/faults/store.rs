//! Redis is killed.

use seckill::lab::Redis;

use super::drill::{Drill, count};
use super::site::Site;
use super::support::engines::Place;

/// Attempts that come while there is no store.
const MEANWHILE: u64 = 200;

#[test]
fn redis_is_killed_and_started_again() {
    let Some(place) = Place::real() else { return };
    let mut redis = Redis::start().unwrap();
    let site = Site::new(place.with_store(&redis), None);
    let server = site.serve("all", &[]);
    let drill = Drill::begin(&server.url);
    redis.service_mut().kill().unwrap();
    drill.wait_for_answer("store_unavailable");
    drill.go_on(MEANWHILE);
    redis.service_mut().restart().unwrap();
    let drilled = drill.end(&["http_500"]);
    assert!(count(&drilled.summary, "store_unavailable") > 0, "{drilled:?}");
}
