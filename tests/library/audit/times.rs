//! The times of made-up runs. Attempts come in turns: each is sent, accepted, decided and answered
//! before the next one is sent.

use seckill::history::Row;

/// When each made-up run began, in microseconds since the Unix epoch.
pub(super) const BEGAN_US: u64 = 1_795_556_940_000_000;

/// How long before the beginning of a run an earlier one took place.
const EARLIER_US: u64 = 3_600_000_000;

/// Time from the beginning of a run to its first turn, and from one turn to the next.
const FIRST_TURN_US: u64 = 50_000;
const TURN_US: u64 = 10_000;

/// Time from the sending of a request to the acceptance, from there to the decision, and from the
/// sending to the answer.
const ACCEPTANCE_US: u64 = 1_000;
const DECISION_US: u64 = 2_000;
const ANSWER_US: u64 = 5_000;

/// When a request was sent and answered, in microseconds since the beginning of the run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) sent_us: u64,
    pub(super) answered_us: u64,
}

/// The request of this turn.
pub(super) fn window(turn: u64) -> Window {
    let sent_us = FIRST_TURN_US + turn * TURN_US;
    Window { sent_us, answered_us: sent_us + ANSWER_US }
}

/// When the attempt of this turn is accepted, by the server's clock.
pub(super) fn accepted_us(turn: u64) -> u64 {
    BEGAN_US + window(turn).sent_us + ACCEPTANCE_US
}

/// When an attempt that was accepted at this time is decided.
pub(super) fn decided_us(accepted_us: u64) -> u64 {
    accepted_us + DECISION_US
}

/// Moves the times of a row to an earlier run.
pub(super) fn make_earlier(row: &mut Row) {
    row.accepted_us -= EARLIER_US;
    row.decided_us = row.decided_us.map(|us| us - EARLIER_US);
}
