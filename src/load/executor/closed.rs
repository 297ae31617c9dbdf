//! The closed model: each user makes one attempt after the other, by its own schedule.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::history::AttemptNo;
use crate::profile::Model;

use super::schedule::{Schedule, Step};
use crate::load::start_barrier::StartBarrier;
use crate::load::user::User;
use crate::load::worker::Worker;

/// Connections that a worker opens at the same time before a stampede: more than the server's
/// accept queue holds would be delayed by a second by the kernel.
pub(in crate::load) const OPENING_MAX: usize = 64;

/// Users that a worker sets up at the same time: their requests are not measured, and are not to
/// overload the shop before the run.
pub(in crate::load) const SETTING_UP_MAX: usize = 8;

/// Runs user `thread` to its end: it prepares, waits at the start barrier, and follows its
/// schedule.
pub(in crate::load) async fn run(
    worker: Rc<Worker>,
    (set_up, start): (Rc<StartBarrier>, Rc<StartBarrier>),
    (setting_up, opening): (Rc<Semaphore>, Rc<Semaphore>),
    thread: u32,
) {
    let schedule = Schedule::of_user(worker.plan(), thread);
    let mut user = User::new(Rc::clone(&worker), thread);
    user.build(AttemptNo { thread, index: 0 });
    if user.needs_setup() && !worker.is_stopped() {
        let permit = setting_up.acquire().await;
        if !worker.is_stopped() && worker.failure().is_none() {
            user.set_up().await;
        }
        drop(permit);
        user.build(AttemptNo { thread, index: 0 });
    }
    // An idle connection could keep a server from answering those that are still set up.
    set_up.wait().await;
    if matches!(worker.plan().model, Model::Closed { stampede: true, .. }) {
        let permit = opening.acquire().await;
        let prepared = if worker.is_stopped() { 0 } else { user.prepare().await };
        drop(permit);
        worker.count(|counts| counts.prepared += prepared);
    }
    start.wait().await;
    let (mut index, mut free_since, mut now) = (0, Duration::ZERO, Instant::now());
    while !worker.is_stopped() {
        let attempt = AttemptNo { thread, index };
        let elapsed = worker.since_begun(now);
        match schedule.next(elapsed, attempt, free_since) {
            Step::Done => break,
            Step::Wait(time) => {
                user.wait_until(elapsed + time).await;
                now = Instant::now();
            }
            Step::Now { intended } => {
                if index == 0 {
                    worker.setup.live.user_started(worker.index);
                }
                user.attempt(attempt, intended, now).await;
                index += 1;
                user.build(AttemptNo { thread, index });
                // An attempt that follows at once begins at this reading of the clock.
                now = Instant::now();
                free_since = worker.since_begun(now);
            }
        }
    }
    if index > 0 {
        worker.setup.live.user_finished(worker.index);
    }
}
