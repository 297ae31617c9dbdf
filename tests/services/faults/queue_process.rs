//! The process of a classic queue is killed inside the broker: it answers what it was about to
//! enqueue with a nack, and may have enqueued it.

use std::time::Duration;

use seckill::lab::Redis;

use super::drill::{Drill, MANY};
use crate::support::backend::Backend;
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::rabbitmqctl::kill_queue;
use crate::support::seeded::from_env;

/// The kills of one campaign; `SECKILL_QUEUE_KILLS` asks for more.
const KILLS: u64 = 5;

/// Attempts between two kills.
const BETWEEN: u64 = 100;

/// Pause after each kill: the broker gives up a queue that ends more than five times in ten
/// seconds.
const PAUSE: Duration = Duration::from_millis(2_100);

#[test]
fn no_refused_attempt_is_decided_when_the_queue_process_is_killed_repeatedly() {
    let Some(_backend) = Backend::real() else { return };
    let kills = from_env("SECKILL_QUEUE_KILLS").unwrap_or(KILLS);
    let broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), None);
    let server = deployment.serve("all", &[]);
    let drill = Drill::begin_with(&server.url, MANY);
    for _ in 0..kills {
        kill_queue(&broker, deployment.queue_name());
        // The service goes on under load; the test waits for nothing here.
        std::thread::sleep(PAUSE);
        drill.recovers();
        drill.wait_for_attempts(BETWEEN);
    }
    let drilled = drill.end(&["http_500"]);
    println!("{kills} kills: {:?} {:?}", drilled.summary.by_outcome, drilled.summary.by_error);
}
