//! Questions about attempts that are asked after the load, over connections and with requests as
//! buyers have them: a server cannot answer the audit in another way than its buyers.

mod again;
mod results;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::history::Beginning;
use crate::ids::ItemId;
use crate::load::run::HOLD_MAX;
use crate::profile::Plan;
use crate::sut::{Client, Received, Sut, Target};

use super::http1::{Connection, Connector, Response};
use super::timers::{Timer, Timers};

pub use again::{SentAgain, send_again};
pub use results::{ResultAnswer, read_results};

/// Requests in flight: enough for servers that take long for each, and few for a server.
const IN_FLIGHT: usize = 32;

/// How often a question is asked that gets no usable answer.
const TRIES_MAX: u32 = 6;

/// Smallest pause before the second try; it doubles with each further one, up to 64 times.
const BACKOFF: Duration = Duration::from_millis(50);

/// How and until when to ask.
#[derive(Debug)]
pub struct AfterLoad {
    /// The plan of the load.
    pub plan: Plan,
    /// The kind of the tested system.
    pub sut: Sut,
    /// Its address.
    pub target: Target,
    /// When the times of the history begin.
    pub beginning: Beginning,
    /// No request is waited for beyond this moment.
    pub deadline: Instant,
    /// Counts the questions that are answered.
    pub done: Arc<AtomicU64>,
}

impl AfterLoad {
    /// Somebody who asks about attempts at an item.
    fn client(&self, item: &ItemId) -> io::Result<Client> {
        let Self { plan, sut, target, .. } = self;
        let wait = HOLD_MAX.min(plan.timeout / 2);
        sut.client(target, plan, item, wait).map_err(io::Error::other)
    }
}

/// A kind of question.
trait Question: Clone + 'static {
    /// What it is asked about.
    type About: Copy + 'static;
    /// What is learnt from its answer.
    type Told: 'static;

    /// Builds the request.
    fn request(&mut self, about: Self::About) -> &[u8];

    /// Interprets the answer to the request that was built last, which was sent and answered at
    /// these times; `None` if it says nothing, so that the question is asked again.
    fn understand(
        &mut self,
        about: Self::About,
        answer: (Response, Received<'_>),
        window_us: (u64, u64),
    ) -> Option<Self::Told>;
}

/// Asks one question about each, several at a time, and returns what was answered by the deadline.
/// It blocks.
///
/// # Errors
/// When the system has no resources for it, or no certificates are trusted for an `https://`
/// target.
fn ask_all<Q: Question>(
    after: AfterLoad,
    question: Q,
    about: Vec<Q::About>,
) -> io::Result<Vec<Q::Told>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let in_flight = IN_FLIGHT.min(about.len());
    let asking = Rc::new(Asking {
        connector: Connector::new(&after.target)?,
        question,
        left: RefCell::new(about.into()),
        told: RefCell::default(),
        after,
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
            () = tokio::time::sleep_until(asking.after.deadline.into()) => {}
            driven = timers.drive() => driven?,
        }
        Ok::<(), io::Error>(())
    })?;
    Ok(asking.told.take())
}

/// What the connections share.
struct Asking<Q: Question> {
    after: AfterLoad,
    connector: Connector,
    question: Q,
    left: RefCell<VecDeque<Q::About>>,
    told: RefCell<Vec<Q::Told>>,
}

impl<Q: Question> Asking<Q> {
    /// Asks on one connection until nothing is left to ask about.
    async fn ask(self: Rc<Self>, timer: Timer, time_out: Timer) {
        let AfterLoad { plan, beginning, done, .. } = &self.after;
        let mut connection = Connection::new(time_out, self.after.sut.body_len_max());
        let mut question = self.question.clone();
        loop {
            let Some(about) = self.left.borrow_mut().pop_front() else { return };
            let (mut tries, mut put_off) = (0, 0);
            while tries < TRIES_MAX {
                let request = question.request(about);
                let exchange = connection.exchange(&self.connector, plan, request).await;
                let window_us = (beginning.us(exchange.began), beginning.us(exchange.ended));
                let understand = |answer: Response| {
                    let received = connection.received(answer);
                    question.understand(about, (answer, received), window_us)
                };
                if let Some(told) = exchange.answer.ok().and_then(understand) {
                    self.told.borrow_mut().push(told);
                    done.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                let told = exchange.answer.ok().and_then(|answer| answer.retry_after);
                // A server that says when to come back is not a failing one. It is not hurried.
                let backoff = BACKOFF * (1 << put_off.min(TRIES_MAX));
                let pause = told.unwrap_or_default().max(backoff);
                tries += u32::from(told.is_none());
                put_off += 1;
                timer.at(exchange.ended + pause).await;
            }
        }
    }
}
