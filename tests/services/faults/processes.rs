//! Processes of the service are killed and replaced.

use std::net::TcpListener;

use seckill::lab::Redis;

use super::drill::{Drill, FEW, MANY};
use crate::support::backend::Backend;
use crate::support::deployment::Deployment;

/// Kills in one drill.
const ROUNDS: u64 = 5;

/// Maximum number of attempts between a start and the next kill.
const UNTIL_KILL: u64 = 60;

/// A random number of attempts until the next kill, below `max`: randomness in the number of
/// answers does not depend on the machine's speed.
fn until_kill(max: u64) -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0) % max
}

#[test]
fn no_attempt_is_lost_when_consumers_are_killed_repeatedly() {
    let Some(backend) = Backend::real() else { return };
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(backend.with_store(&redis), None);
    let api = deployment.serve("api", &[]);
    // Small batches, so that a kill seldom falls between two of them.
    let consumer = || deployment.serve("consumer", &["--prefetch", "4"]);
    let mut present = consumer();
    let drill = Drill::begin(&api.url);
    for _ in 0..ROUNDS {
        present.kill();
        drill.wait_for_attempts(UNTIL_KILL);
        present = consumer();
        drill.wait_for_attempts(until_kill(UNTIL_KILL));
    }
    let drilled = drill.end(&[]);
    assert_eq!(drilled.audit.accepted, drilled.summary.total, "buyers notice nothing");
}

/// An address whose port is below the ephemeral range: while no server listens there, the system
/// gives the port to no client.
fn address() -> String {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    format!("127.0.0.1:{}", (first..32_000).find(is_free).unwrap())
}

#[test]
fn no_attempt_is_lost_when_an_api_process_is_killed_repeatedly() {
    let Some(backend) = Backend::real() else { return };
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(backend.with_store(&redis), None);
    let _consumer = deployment.serve("consumer", &[]);
    let address = address();
    let mut api = deployment.serve_at(&address, "api", &[]);
    // With fewer users, no attempt would be left announced but not queued, for another process to
    // republish.
    let drill = Drill::begin_with(&api.url, MANY);
    for _ in 0..ROUNDS {
        drill.wait_for_attempts(until_kill(UNTIL_KILL * MANY.at_a_time / FEW.at_a_time));
        api.kill();
        api = deployment.serve_at(&address, "api", &[]);
    }
    let drilled = drill.end(&["connect_refused", "connect_failed", "reset"]);
    assert!(
        drilled.summary.errors >= ROUNDS,
        "each kill interrupts requests: {:?}",
        drilled.summary.by_error
    );
}
