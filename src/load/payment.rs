//! A payment for an order that is held: a task of its own makes it, so that the virtual user who
//! has won the order goes on with its next attempt.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::spawn_local;

use crate::history::{AttemptNo, Payment, PaymentAnswer, RequestWindow};
use crate::ids::{OrderId, RequestId};
use crate::stats::ErrorKind;
use crate::sut::{Client, Unusable};

use super::worker::Worker;

/// The number of a payment among the steps.
const STEP: usize = 0;

/// How often a payment is tried that got no usable answer, and the pause before the second time; it
/// doubles. Repeating it is safe.
const TRIES_MAX: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

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

async fn pay_at(worker: Rc<Worker>, due: Instant, won: Won, request: Vec<u8>) {
    let timer = worker.timer();
    timer.at(due).await;
    // The semaphore is never closed.
    let _permit = worker.payments.permits.acquire().await;
    let mut pause = PAUSE;
    for _ in 0..TRIES_MAX {
        if worker.is_stopped() || pay(&worker, &won, &request).await {
            return;
        }
        timer.at(Instant::now() + pause).await;
        pause *= 2;
    }
}

/// Sends a payment, and keeps its answer. Returns whether that is final.
async fn pay(worker: &Worker, won: &Won, request: &[u8]) -> bool {
    let (connector, plan) = (&worker.setup.connector, worker.plan());
    let mut connection = worker.connection();
    let exchange = connection.exchange(connector, plan, request).await;
    let understood = match exchange.answer {
        Ok(response) => Client::understand_payment(connection.received(response), won.request_id),
        Err(kind) => Err(kind.into()),
    };
    let latency = exchange.ended.saturating_duration_since(exchange.began);
    let error: Option<ErrorKind> = understood.as_ref().err().map(|unusable| unusable.kind);
    if !won.is_warmup {
        worker.record_step(STEP, latency, error);
    }
    if exchange.bytes_sent == 0 {
        // Nothing has left this machine.
        return false;
    }
    let (sent_us, answered_us) = (worker.us(exchange.began), worker.us(exchange.ended));
    if let Err(Unusable { is_contradictory: true, .. }) = understood {
        worker.keep_contradictory(RequestWindow { attempt: won.attempt, sent_us, answered_us });
    }
    let answered = understood.unwrap_or(PaymentAnswer::Unknown);
    let request_id = won.request_id;
    worker.keep_payment(Payment { request_id, answered, sent_us, answered_us });
    !matches!(answered, PaymentAnswer::Unknown | PaymentAnswer::Refused)
}
