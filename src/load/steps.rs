//! The steps of a virtual user beside its purchases: those that set it up before the run, and those
//! before and after each purchase.

use std::time::Duration;

use crate::escape::printable;
use crate::stats::{ErrorKind, Outcome, Sample};
use crate::sut::Phase;

use super::user::User;

/// How often a step of the setup is tried, and the pause before the second time; it doubles.
const SETUP_TRIES: u32 = 3;
const SETUP_PAUSE: Duration = Duration::from_millis(200);

impl User {
    /// Whether it has to be set up.
    pub(super) fn needs_setup(&self) -> bool {
        !self.client.steps(Phase::Setup).is_empty()
    }

    /// Sets the user up: logs it in, fetches its token.
    pub(super) async fn set_up(&mut self) {
        for step in self.client.steps(Phase::Setup) {
            let mut tries = 1;
            while let Err(kind) = self.step(step).await {
                if self.worker.is_stopped() {
                    return;
                }
                if tries >= SETUP_TRIES {
                    let label = self.worker.setup.sut.steps().into_iter().nth(step);
                    let (label, user) = (label.unwrap_or_default(), self.thread + 1);
                    let label = printable(&label);
                    // Without an answer, what was kept is the beginning of an earlier one.
                    let is_answered = matches!(kind, ErrorKind::Http(_) | ErrorKind::Body);
                    let answer = self.client.beginning().filter(|_| is_answered);
                    let seen = answer.unwrap_or_else(|| kind.to_string());
                    self.worker.set_up_failed(format!(
                        "virtual user {user} could not be set up: step `{label}`: {seen}"
                    ));
                    return;
                }
                let pause = SETUP_PAUSE * (1 << (tries - 1));
                self.timer.at(std::time::Instant::now() + pause).await;
                tries += 1;
            }
        }
    }

    /// Makes the steps before the purchase, or those after it.
    ///
    /// # Errors
    /// When one fails: those after it are not made.
    pub(super) async fn steps(&mut self, phase: Phase) -> Result<(), ErrorKind> {
        for step in self.client.steps(phase) {
            self.step(step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: usize) -> Result<(), ErrorKind> {
        let (connector, plan) = (&self.worker.setup.connector, self.worker.plan());
        let exchange = self.connection.exchange(connector, plan, self.client.step(step)).await;
        let taken = exchange
            .answer
            .and_then(|response| self.client.take_step(step, self.connection.received(response)));
        let latency = exchange.ended.saturating_duration_since(exchange.began);
        if !self.is_warmup {
            self.worker.record_step(step, latency, taken.err());
        }
        taken
    }

    /// Records an attempt that ended before its purchase, since a step failed.
    pub(super) fn record_without_purchase(&self, intended: Option<Duration>, began: Duration) {
        let result: Result<Outcome, ErrorKind> = Err(ErrorKind::Step);
        let ended = self.worker.elapsed();
        let sample = Sample {
            thread: self.thread,
            click: crate::stats::Click::First,
            intended,
            began,
            connected: None,
            sent: None,
            first_byte: None,
            ended,
            bytes_sent: 0,
            bytes_received: 0,
            status: 0,
            result,
        };
        self.worker.record(&sample, self.is_warmup);
    }
}
