//! Interprets and records the exchange of one request.

use std::time::Duration;

use crate::history::{Answered, AttemptNo, RequestWindow};
use crate::settings::RetryOn;
use crate::stats::{Click, ErrorKind, Outcome, Sample};
use crate::sut::{Client, Meaning, Understood};

use super::http1::{Connection, Exchange};
use super::worker::Worker;

/// A request that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// The virtual user that sends it; in the open model it is not the attempt's row.
    pub(super) thread: u32,
    /// The attempt that it belongs to.
    pub(super) attempt: AttemptNo,
    /// Why it is sent.
    pub(super) click: Click,
    /// The moment at which it is scheduled, if any, since the beginning of the run.
    pub(super) intended: Option<Duration>,
    /// Whether it belongs to the warm-up, which is excluded from the figures.
    pub(super) is_warmup: bool,
}

/// The result of a request.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) result: Result<Outcome, ErrorKind>,
    /// What the result says about the attempt; `None` when nothing was sent.
    pub(super) meaning: Option<Meaning>,
    /// When the request was sent and answered.
    pub(super) window: RequestWindow,
    /// The class of retries that it calls for.
    pub(super) cause: Option<RetryOn>,
    pub(super) retry_after: Option<Duration>,
}

impl Reply {
    /// Interprets an exchange, and records it.
    pub(super) fn receive(
        worker: &Worker,
        request: &Request,
        client: &mut Client,
        (exchange, connection): (&Exchange, &Connection),
    ) -> Self {
        let answer = exchange.answer.map(|response| connection.received(response));
        let understood = answer.map(|received| client.understand(received));
        let window = RequestWindow {
            attempt: request.attempt,
            sent_us: worker.us(exchange.began),
            answered_us: worker.us(exchange.ended),
        };
        let retry_after = exchange.answer.ok().and_then(|response| response.retry_after);
        let unknown = Some(Meaning::Answered(Answered::Unknown));
        let (result, meaning, cause) = match understood {
            Ok(Ok(Understood { outcome, meaning, retry })) => {
                if let Meaning::Refused(refused) = meaning {
                    worker.keep_refusal(refused, window, retry_after.is_some());
                }
                (Ok(outcome), Some(meaning), retry)
            }
            Ok(Err(unusable)) => {
                if unusable.is_contradictory {
                    worker.keep_contradictory(window);
                }
                (Err(unusable.kind), unknown, Some(RetryOn::Unknown))
            }
            Err(kind) if exchange.bytes_sent > 0 => (Err(kind), unknown, Some(RetryOn::Unknown)),
            // A request of which no byte has left this machine had no effect.
            Err(kind) => (Err(kind), None, Some(RetryOn::Connect)),
        };
        worker.record(&sample(request, exchange, worker, result), request.is_warmup);
        Self { result, meaning, window, cause, retry_after }
    }
}

fn sample(
    request: &Request,
    exchange: &Exchange,
    worker: &Worker,
    result: Result<Outcome, ErrorKind>,
) -> Sample {
    let since_begin = |moment| worker.since_begun(moment);
    // Usually these moments are one and the same, and comparing them is cheaper than subtracting.
    let (began, ended) = (since_begin(exchange.began), since_begin(exchange.ended));
    let or_subtract =
        |moment, other, known| if moment == other { known } else { since_begin(moment) };
    let sent = exchange.sent.map(|sent| or_subtract(sent, exchange.began, began));
    let first_byte = exchange.first_byte.map(|moment| or_subtract(moment, exchange.ended, ended));
    Sample {
        thread: request.thread,
        click: request.click,
        intended: request.intended,
        began,
        connected: exchange.connected.map(since_begin),
        sent,
        first_byte,
        ended,
        bytes_sent: exchange.bytes_sent,
        bytes_received: exchange.bytes_received,
        status: exchange.answer.map_or(0, |response| response.status),
        result,
    }
}
