//! The hours of the sale, on the clock of the history.

use crate::history::{Hours, Stage, View};
use crate::judge::facts::Facts;
use crate::judge::server_clock::ServerClock;

/// How far apart two clocks of a right system may be that both know the hours of the sale, in
/// microseconds.
pub(super) const CLOCKS_APART_US: u64 = 1_000_000;

/// How far a clock may be adjusted between two acceptances beyond what these show, in microseconds.
const ADJUSTED_US: u64 = 20_000;

/// When the sale was certainly open, in microseconds since the beginning of the history.
pub(super) struct CertainlyOpen {
    /// It had opened by then.
    from_us: Option<u64>,
    /// It had not closed by then.
    until_us: Option<u64>,
}

impl CertainlyOpen {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let shown = facts.hours().map_or((None, None), |hours| by_hours(facts, hours));
        let accepted = by_acceptance(facts);
        // Without hours that are shown, the word of a state says that it has not closed.
        let words = by_words(facts).filter(|_| facts.hours().is_none());
        Self {
            from_us: shown.0.into_iter().chain(accepted.0).min(),
            until_us: shown.1.into_iter().chain(accepted.1).chain(words).max(),
        }
    }

    pub(super) fn had_opened(&self, us: u64) -> bool {
        self.from_us.is_some_and(|from_us| us > from_us)
    }

    pub(super) fn had_not_closed(&self, us: u64) -> bool {
        self.until_us.is_some_and(|until_us| us < until_us)
    }
}

/// Whether the moment of a state was certainly before the opening or after the closing.
pub(super) fn was_outside(facts: &Facts<'_>, view: &View) -> bool {
    let Some((hours, clock)) = facts.hours().zip(facts.clock) else { return false };
    let is_before = |us: u64| view.answered_us < earliest(clock, us);
    let is_after = |us: u64| view.sent_us > latest(clock, us);
    hours.opens_us.is_some_and(is_before) || hours.closes_us.is_some_and(is_after)
}

/// By the last state that says that the sale is within its hours.
fn by_words(facts: &Facts<'_>) -> Option<u64> {
    let is_within = |view: &&View| {
        !view.sale.opened && matches!(view.sale.stage, Some(Stage::Open | Stage::SoldOut))
    };
    let within = facts.views().filter(is_within).map(|view| view.sent_us).max();
    within.map(|us| us.saturating_sub(CLOCKS_APART_US))
}

/// By the hours that are shown: a sale that shows only one of them does not have the other.
fn by_hours(facts: &Facts<'_>, hours: Hours) -> (Option<u64>, Option<u64>) {
    let clock = facts.clock;
    let from_us = hours.opens_us.map_or(Some(0), |us| Some(latest(clock?, us)));
    let until_us = hours.closes_us.map_or(Some(u64::MAX), |us| Some(earliest(clock?, us)));
    (from_us, until_us)
}

/// When it was this time, at the latest, by any clock that knows the hours.
fn latest(clock: ServerClock, us: u64) -> u64 {
    clock.latest_moment(us.saturating_add(CLOCKS_APART_US))
}

/// When it was this time, at the earliest, by any clock that knows the hours.
fn earliest(clock: ServerClock, us: u64) -> u64 {
    clock.earliest_moment(us.saturating_sub(CLOCKS_APART_US))
}

/// By the answers: the sale was open once an attempt had been accepted, and not closed before
/// another was sent that was accepted. What was accepted outside the hours that are shown does not
/// count.
fn by_acceptance(facts: &Facts<'_>) -> (Option<u64>, Option<u64>) {
    let hours = facts.hours().zip(facts.clock);
    let opens_us = hours.and_then(|(hours, clock)| Some(clock.earliest_moment(hours.opens_us?)));
    let closed_us = hours.and_then(|(hours, clock)| Some(clock.latest_moment(hours.closes_us?)));
    let is_within = |(sent_us, answered_us): &(u64, u64)| {
        opens_us.is_none_or(|us| *answered_us >= us) && closed_us.is_none_or(|us| *sent_us <= us)
    };
    // An attempt that was accepted before the run is answered at any time.
    let shows_earlier = facts.tells.attempts && facts.tells.request_ids;
    let new = facts.accepted.iter().filter(|made| shows_earlier && made.earlier.is_none());
    let windows = || new.clone().filter_map(|made| made.window()).filter(is_within);
    // Only clocks that know the hours can differ about them.
    let slack_us = match (hours, facts.clock) {
        (None, Some(clock)) => clock.spread_us().saturating_add(ADJUSTED_US).min(CLOCKS_APART_US),
        _ => CLOCKS_APART_US,
    };
    let from_us = windows().map(|window| window.1.saturating_add(slack_us)).min();
    let until_us = windows().map(|window| window.0.saturating_sub(slack_us)).max();
    (from_us, until_us)
}
