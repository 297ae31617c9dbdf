//! A virtual user: waits for its turn, attempts, records.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::audit::{AttemptNo, Entry, History, Told};
use crate::profile::Plan;
use crate::sale::RequestId;
use crate::stats::{Live, Recorder, Sample};

use super::connection::{Connection, Failure, Reply};
use super::request::Template;
use super::schedule::{Schedule, Step};
use super::{Dialer, Stop, answer};

/// What the users of one worker share. Nothing in it leaves the worker's thread, and no borrow
/// lives across an await.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) worker: usize,
    pub(super) plan: Plan,
    pub(super) dialer: Dialer,
    pub(super) begun: Instant,
    pub(super) live: Arc<Live>,
    pub(super) stop: Stop,
    pub(super) recorder: RefCell<Recorder>,
    pub(super) history: RefCell<History>,
}

/// Runs user `thread` to its end.
pub(super) async fn run(shared: Rc<Shared>, thread: u32, template: Template) {
    let schedule = Schedule::of_user(&shared.plan, thread.into());
    let mut user = User { thread, template, connection: None };
    let (mut index, mut free_since) = (0, std::time::Duration::ZERO);
    while !shared.stop.is_asked() {
        match schedule.next(shared.begun.elapsed(), index, free_since) {
            Step::Done => break,
            Step::Wait(time) => shared.stop.sleep(time).await,
            Step::Now { intended } => {
                if index == 0 {
                    shared.live.user_started(shared.worker);
                }
                let began = shared.begun.elapsed();
                let attempted = user.attempt(&shared, index).await;
                let ended = shared.begun.elapsed();
                let Attempted { bytes_sent, bytes_received, result, told } = attempted;
                let sample = Sample { intended, began, ended, bytes_sent, bytes_received, result };
                shared.live.record(shared.worker, &sample);
                shared.recorder.borrow_mut().record(&sample);
                if let Some(told) = told {
                    let attempt = AttemptNo { thread, index };
                    shared.history.borrow_mut().entries.push(Entry { attempt, told });
                }
                index += 1;
                free_since = ended;
            }
        }
    }
    shared.history.borrow_mut().sent[thread as usize] = index;
    if index > 0 {
        shared.live.user_finished(shared.worker);
    }
}

struct User {
    thread: u32,
    template: Template,
    connection: Option<Connection>,
}

/// One attempt's figures, and what the history is to keep of it.
struct Attempted {
    bytes_sent: u64,
    bytes_received: u64,
    result: Result<crate::stats::Outcome, crate::stats::ErrorKind>,
    told: Option<Told>,
}

impl User {
    async fn attempt(&mut self, shared: &Shared, index: u64) -> Attempted {
        let plan = &shared.plan;
        let mut kept = self.connection.take();
        kept.take_if(Connection::is_stale);
        let connection = match kept {
            Some(connection) => Ok(connection),
            None => Connection::open(&shared.dialer, plan.connect_timeout).await,
        };
        let mut connection = match connection {
            Ok(connection) => connection,
            Err(kind) => {
                return Attempted::failed(&Failure { kind, bytes_sent: 0, bytes_received: 0 });
            }
        };
        let attempt = AttemptNo { thread: self.thread, index };
        let (buyer, request_id) = {
            let ids = shared.history.borrow().ids;
            (ids.buyer(attempt), ids.request_id(attempt))
        };
        let request = self.template.fill(buyer, request_id.0);
        let (attempted, keep_alive) = match connection.exchange(request, plan.timeout).await {
            Ok(reply) => (Attempted::answered(request.len(), &reply, request_id), reply.keep_alive),
            Err(failure) => (Attempted::failed(&failure), false),
        };
        if plan.keepalive && keep_alive {
            self.connection = Some(connection);
        }
        attempted
    }
}

impl Attempted {
    fn answered(request_len: usize, reply: &Reply<'_>, ours: RequestId) -> Self {
        let read = answer::read(reply.status, reply.body, ours);
        let (result, told) = match read {
            Ok((outcome, told)) => (Ok(outcome), told),
            Err(kind) => (Err(kind), Some(Told::Unknown)),
        };
        let bytes_sent = request_len as u64;
        Self { bytes_sent, bytes_received: reply.bytes_received, result, told }
    }

    fn failed(failure: &Failure) -> Self {
        Self {
            bytes_sent: failure.bytes_sent,
            bytes_received: failure.bytes_received,
            result: Err(failure.kind),
            // What never left this machine had no effect.
            told: (failure.bytes_sent > 0).then_some(Told::Unknown),
        }
    }
}
