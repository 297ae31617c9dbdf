//! Asks for results after the load, over connections and with requests as buyers have them: a
//! server cannot answer the audit in another way than its buyers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::history::{Beginning, ResultRead};
use crate::ids::RequestId;
use crate::profile::Plan;
use crate::sut::{Sut, Target, Template};

use super::http1::{Connection, Connector};
use super::run::HOLD_MAX;
use super::timers::{Timer, Timers};

/// Requests in flight: enough for servers that take long for each, and few for a server.
const IN_FLIGHT: usize = 32;

/// How often a result is asked for that gets no usable answer.
const TRIES_MAX: u32 = 6;

/// Pause before the second try; it doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(50);

/// Results to ask for.
#[derive(Debug)]
pub struct ResultsJob {
    /// The plan of the load.
    pub plan: Plan,
    /// The kind of the tested system.
    pub sut: Sut,
    /// Its address.
    pub target: Target,
    /// When the times of the history begin.
    pub beginning: Beginning,
    /// The attempts, in the order in which they are asked for.
    pub ids: Vec<RequestId>,
    /// No request is waited for beyond this moment.
    pub deadline: Instant,
    /// Counts the results that are read.
    pub done: Arc<AtomicU64>,
}

/// Asks for the results, several at a time, and returns those that were answered by the deadline.
/// It blocks.
///
/// # Errors
/// When the system has no resources for it, or no certificates are trusted for an `https://`
/// target.
pub fn read_results(job: ResultsJob) -> io::Result<Vec<ResultRead>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ResultsJob { plan, sut, target, beginning, ids, deadline, done } = job;
    let in_flight = IN_FLIGHT.min(ids.len());
    let asking = Rc::new(Asking {
        connector: Connector::new(&target)?,
        template: sut.result(&target, &plan, HOLD_MAX.min(plan.timeout / 2)),
        plan,
        sut,
        beginning,
        left: RefCell::new(ids.into()),
        read: RefCell::default(),
        done,
    });
    LocalSet::new().block_on(&runtime, async {
        let timers = Timers::new()?;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..in_flight {
            tasks.spawn_local(Rc::clone(&asking).ask(timers.timer(), timers.timer()));
        }
        let all_asked = async { while tasks.join_next().await.is_some() {} };
        tokio::select! {
            () = all_asked => {}
            () = tokio::time::sleep_until(deadline.into()) => {}
            driven = timers.drive() => driven?,
        }
        Ok::<(), io::Error>(())
    })?;
    Ok(asking.read.take())
}

/// What the connections share.
struct Asking {
    connector: Connector,
    template: Template<1>,
    plan: Plan,
    sut: Sut,
    beginning: Beginning,
    left: RefCell<VecDeque<RequestId>>,
    read: RefCell<Vec<ResultRead>>,
    done: Arc<AtomicU64>,
}

impl Asking {
    /// Asks on one connection until no attempt is left.
    async fn ask(self: Rc<Self>, timer: Timer, time_out: Timer) {
        let mut connection = Connection::new(time_out);
        let mut template = self.template.clone();
        loop {
            let Some(request_id) = self.left.borrow_mut().pop_front() else { return };
            template.fill([request_id.0]);
            let mut tries = 0;
            while tries < TRIES_MAX {
                let exchange =
                    connection.exchange(&self.connector, &self.plan, template.bytes()).await;
                let body = connection.body();
                let understand = |answer: super::Response| {
                    self.sut.understand_result(answer.status, body, request_id)
                };
                if let Ok(status) = exchange.answer.and_then(understand) {
                    let (sent_us, answered_us) =
                        (self.beginning.us(exchange.began), self.beginning.us(exchange.ended));
                    let read = ResultRead { request_id, status, sent_us, answered_us };
                    self.read.borrow_mut().push(read);
                    self.done.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                let told = exchange.answer.ok().and_then(|answer| answer.retry_after);
                let pause = told.unwrap_or(BACKOFF * (1 << tries));
                // A server that says when to come back is not a failing one.
                tries += u32::from(told.is_none());
                timer.at(exchange.ended + pause).await;
            }
        }
    }
}
