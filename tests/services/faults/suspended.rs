//! Redis or a consumer is suspended for a long time, under load. The drills run at the same time,
//! each with servers and a Redis of its own, because they wait more than they compute.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use seckill::lab::Redis;

use super::drill::{Drill, SLOW, count};
use crate::support::backend::Backend;
use crate::support::child::{Serving, eventually, signal};
use crate::support::deployment::Deployment;

const QUORUM: &[&str] = &["--queue-type", "quorum"];

/// How long a consumer is suspended: longer than the broker waits for its heartbeats, which is up
/// to 30 s.
const CONSUMER_SUSPENSION: Duration = Duration::from_secs(60);

/// Longest answer while Redis hangs: the 3 s in which a call has to be answered, and some for a
/// busy machine.
const ANSWER_MAX: Duration = Duration::from_secs(6);

/// Longest answer once it is known that Redis hangs.
const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// Pause between two attempts at a store that hangs.
const PROBE_PAUSE: Duration = Duration::from_millis(50);

/// The error of an attempt that was sent to an engine and not answered in time.
const UNKNOWN: &[&str] = &["http_500"];

/// Loads servers that share this Redis while it is suspended.
fn suspend_redis(
    deployment: &Deployment,
    roles: &[&str],
    flags: &[&str],
    redis: &mut Redis,
    time: Duration,
) {
    let servers: Vec<Serving> = roles.iter().map(|role| deployment.serve(role, flags)).collect();
    let drill = Drill::begin_with(&servers[0].url, SLOW);
    redis.service_mut().suspend().unwrap();
    let begun = Instant::now();
    // The first calls have to time out before it is known that it hangs.
    drill.wait_for_answer("store_unavailable");
    while begun.elapsed() < time {
        let asked = Instant::now();
        assert!(drill.is_answered("store_unavailable"));
        let answered = asked.elapsed();
        assert!(answered < REFUSAL_MAX, "a refusal waited for Redis: {answered:?}");
        thread::sleep(PROBE_PAUSE);
    }
    redis.service_mut().resume().unwrap();
    let drilled = drill.end_within(UNKNOWN, ANSWER_MAX);
    assert!(count(&drilled.summary, "store_unavailable") > 0, "{drilled:?}");
}

/// Suspends a consumer that holds attempts, which another one decides meanwhile. The broker closes
/// its connections, so that what it has not acknowledged is delivered again.
fn suspend_consumer(deployment: &Deployment, flags: &[&str]) {
    let api = deployment.serve("api", flags);
    let first = deployment.serve("consumer", &[flags, &["--prefetch", "8"]].concat());
    let drill = Drill::begin_with(&api.url, SLOW);
    signal(first.child.id(), Signal::STOP);
    let begun = Instant::now();
    // From here on nobody decides, and the suspended one is given as many as it may hold.
    drill.wait_for_attempts(50);
    let held = drill.sale().ledger().rows.iter().map(|row| row.accepted_us).max().unwrap();
    let is_held = || {
        let rows = drill.sale().ledger().rows;
        rows.iter().any(|row| row.decided_us.is_none() && row.accepted_us <= held)
    };
    assert!(is_held(), "nobody else can have decided them");
    let _second = deployment.serve("consumer", flags);
    eventually("what it holds is decided by another consumer", || !is_held());
    assert!(begun.elapsed() < CONSUMER_SUSPENSION, "only after it went on");
    thread::sleep(CONSUMER_SUSPENSION.saturating_sub(begun.elapsed()));
    signal(first.child.id(), Signal::CONT);
    eventually("its connections were closed", || first.log().contains("lost the connection"));
    // On a busy machine a confirm may take too long; what is unknown is audited, too.
    drill.end_within(UNKNOWN, ANSWER_MAX);
}

#[test]
fn service_recovers_after_long_suspensions_of_redis_and_of_a_consumer() {
    let Some(backend) = Backend::real() else { return };
    thread::scope(|scope| {
        let redis_suspensions = [
            (5, true, &["all"][..], &[][..]),
            (15, true, &["api", "consumer"], QUORUM),
            (40, false, &["all"], &[]),
        ];
        for (seconds, has_broker, roles, flags) in redis_suspensions {
            let backend = backend.clone();
            scope.spawn(move || {
                let mut redis = Redis::start().unwrap();
                let backend = if has_broker {
                    backend.with_store(&redis)
                } else {
                    Backend::with_redis(&redis)
                };
                let deployment = Deployment::new(backend, None);
                let time = Duration::from_secs(seconds);
                suspend_redis(&deployment, roles, flags, &mut redis, time);
            });
        }
        for flags in [&[][..], QUORUM] {
            let backend = backend.clone();
            scope.spawn(move || {
                let redis = Redis::start().unwrap();
                suspend_consumer(&Deployment::new(backend.with_store(&redis), None), flags);
            });
        }
    });
}
