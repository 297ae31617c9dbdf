//! A payment for an order that is held: a task of its own makes it, so that the virtual user who
//! has won the order goes on with its next attempt.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::spawn_local;

use crate::history::{AttemptNo, Payment, PaymentAnswer, RequestWindow};
use crate::ids::{OrderId, RequestId};
use crate::stats::ErrorKind;
use crate::sut::Client;

use super::http1::Connection;
use super::retry::{RETRY_AFTER_MAX, backoff, jitter};
use super::worker::Worker;

/// The number of a payment among the steps.
const STEP: usize = 0;

/// The pause before a payment is sent again that got no usable answer, or was refused without a
/// `Retry-After`; it doubles each time. Repeating a payment is safe.
const PAUSE: Duration = Duration::from_millis(200);

/// What follows a request that pays.
#[derive(Debug)]
enum Next {
    /// The payment is answered for good.
    Done,
    /// It is to be sent again, no sooner than after this time if the server has said one.
    Again { retry_after: Option<Duration> },
}

/// An order that an attempt has won.
#[derive(Debug)]
pub(super) struct Won {
    pub(super) attempt: AttemptNo,
    pub(super) request_id: RequestId,
    pub(super) order_id: OrderId,
    /// Whether the attempt belongs to the warm-up.
    pub(super) is_warmup: bool,
}

/// Begins the payment for an order that was just learnt of, if its buyer is one of those who pay.
pub(super) fn begin(worker: &Rc<Worker>, client: &Client, won: Won) {
    let plan = worker.plan();
    let Some(pause) = plan.pay.and_then(|pay| pay.pause(plan.seed, won.attempt.number())) else {
        return;
    };
    let Some(request) = client.payment(&won.order_id, won.request_id) else { return };
    let due = Instant::now() + pause;
    worker.payments.add(spawn_local(pay_at(Rc::clone(worker), due, won, request)));
}

/// Pays for an order from the moment when its buyer does so until that is answered for good, or the
/// load has been over for as long as results are waited for.
async fn pay_at(worker: Rc<Worker>, due: Instant, won: Won, request: Vec<u8>) {
    let timer = worker.timer();
    timer.at(due).await;
    let mut connection = worker.connection();
    let (mut tries, mut doublings) = (0, 0);
    loop {
        // The semaphore is never closed.
        let permit = worker.payments.permits.acquire().await;
        let may_send = tries == 0 || worker.payments.may_send_at(Instant::now(), due);
        if worker.is_stopped() || !may_send {
            return;
        }
        let next = pay(&worker, &mut connection, &won, &request).await;
        connection.close();
        drop(permit);
        let Next::Again { retry_after } = next else { return };
        if retry_after.is_some_and(|time| time > RETRY_AFTER_MAX) {
            return;
        }
        let backoff = backoff(PAUSE, doublings);
        let jitter = jitter(worker.plan().seed, won.attempt, tries);
        let pause = retry_after.unwrap_or_default() + backoff.mul_f64(jitter);
        tries += 1;
        // Who is told when to come back does so then, however often that is said.
        doublings = if retry_after.is_some() { 0 } else { doublings + 1 };
        if !worker.payments.pause(&timer, Instant::now() + pause, due).await {
            return;
        }
    }
}

/// Sends a payment, and keeps its answer.
async fn pay(worker: &Worker, connection: &mut Connection, won: &Won, request: &[u8]) -> Next {
    let (connector, plan) = (&worker.setup.connector, worker.plan());
    let exchange = connection.exchange(connector, plan, request).await;
    // A server that says 0 leaves it to the client how long it waits.
    let said = exchange.answer.ok().and_then(|response| response.retry_after);
    let again = Next::Again { retry_after: said.filter(|time| !time.is_zero()) };
    let understood = match exchange.answer {
        Ok(response) => {
            let received = connection.received(response);
            Client::understand_payment(received, &won.order_id, won.request_id)
        }
        Err(kind) => Err(kind.into()),
    };
    let latency = exchange.ended.saturating_duration_since(exchange.began);
    let error: Option<ErrorKind> = understood.as_ref().err().map(|unusable| unusable.kind);
    if !won.is_warmup {
        worker.record_step(STEP, latency, error);
    }
    if exchange.bytes_sent == 0 {
        // Nothing has left this machine.
        return again;
    }
    let (sent_us, answered_us) = (worker.us(exchange.began), worker.us(exchange.ended));
    let is_contradictory = understood.as_ref().is_err_and(|unusable| unusable.is_contradictory);
    if is_contradictory {
        worker.keep_contradictory(RequestWindow { attempt: won.attempt, sent_us, answered_us });
    }
    let (answered, told) = understood.unwrap_or((PaymentAnswer::Unknown, None));
    let (request_id, told) = (won.request_id, told.map(Box::new));
    worker.keep_payment(Payment { request_id, answered, told, sent_us, answered_us });
    match answered {
        // A contradiction is a fault of the server that no repetition mends.
        PaymentAnswer::Unknown if is_contradictory => Next::Done,
        PaymentAnswer::Unknown | PaymentAnswer::Refused => again,
        _ => Next::Done,
    }
}
