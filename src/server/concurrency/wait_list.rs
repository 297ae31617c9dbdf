//! The attempts that have found no permit.
//!
//! During overload, permits go to attempts that have just arrived, and those on the list are passed
//! over: accepting one of them late would make another one late. This is adaptive LIFO (Maurer,
//! "Fail at Scale", ACM Queue 13(8), 2015). When the overload may have ended, attempts on the list
//! get permits, oldest first, and more of them from round to round, until an attempt finds no
//! permit again. An attempt that has waited long enough is refused, and not earlier: a refused
//! client comes again, and the requests of many such clients are the overload.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::oneshot::Sender;

/// The shortest wait before a refusal: a buyer who clicks again does so after a second or two.
pub(super) const PATIENCE_MIN: Duration = Duration::from_secs(2);

/// The longest wait. It is below the 10 s after which `deploy/seckill.conf` has nginx give up.
const PATIENCE_MAX: Duration = Duration::from_secs(8);

/// Refusals per second, at most, as long as the wait is below [`PATIENCE_MAX`]. A refusal after a
/// wait costs as much CPU as an accepted attempt, since the memory of its connection is in no cache
/// by then.
const REFUSALS_PER_SECOND: u32 = 500;

/// Attempts that wait; further ones are refused at once. This bounds their memory, which is some
/// 16 KiB each with their connection.
pub(super) const MAX: usize = 65_536;

/// If no attempt had to wait for so long, the overload may have ended.
const ROUND: Duration = Duration::from_millis(100);

/// The attempts that wait, and how many of them may get a permit.
#[derive(Debug)]
pub(super) struct WaitList<Permit> {
    /// By arrival.
    waiting: BTreeMap<u64, Sender<Permit>>,
    next_number: u64,
    /// When an attempt last had to wait.
    added_at: Option<Instant>,
    /// When the present round began.
    round_began: Instant,
    /// How many were allowed in the last round; 0 if an attempt has had to wait since.
    allowed: usize,
    /// How many may still get a permit.
    may_enter: usize,
}

impl<Permit> WaitList<Permit> {
    pub(super) fn new(now: Instant) -> Self {
        let waiting = BTreeMap::new();
        let (added_at, next_number) = (None, 0);
        Self { waiting, next_number, added_at, round_began: now, allowed: 0, may_enter: 0 }
    }

    /// Adds an attempt, and returns its number and how long it should wait; `None` if the list is
    /// full.
    pub(super) fn add(&mut self, permit: Sender<Permit>, now: Instant) -> Option<(u64, Duration)> {
        (self.round_began, self.allowed, self.may_enter) = (now, 0, 0);
        self.added_at = Some(now);
        if self.waiting.len() == MAX {
            return None;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.waiting.insert(number, permit);
        let evenly = Duration::from_secs(self.waiting.len() as u64) / REFUSALS_PER_SECOND;
        Some((number, evenly.clamp(PATIENCE_MIN, PATIENCE_MAX)))
    }

    /// Whether no attempt waits, and none had to for as long as overload is seen to last.
    pub(super) fn is_calm(&self, now: Instant) -> bool {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < ROUND;
        self.waiting.is_empty() && !self.added_at.is_some_and(is_recent)
    }

    /// Removes an attempt that does not wait any more, if it is still on the list.
    pub(super) fn remove(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// A permit was given back, and `in_use` others are in use. If there are none, twice as many as
    /// in the last round may enter. Otherwise only one more: commits end for many attempts at once,
    /// so that few permits in use are no sign that the overload has ended.
    pub(super) fn released(&mut self, in_use: usize, now: Instant) {
        let more = match in_use {
            0 => self.allowed,
            _ if now.saturating_duration_since(self.round_began) >= ROUND => 1,
            _ => return,
        };
        self.allowed = (self.allowed + more).clamp(1, MAX);
        (self.round_began, self.may_enter) = (now, self.allowed);
    }

    /// A permit was given back that was not used to accept an attempt.
    pub(super) fn unused(&mut self) {
        self.may_enter = self.may_enter.max(1);
    }

    /// The oldest one, if it may get a permit.
    pub(super) fn next(&mut self) -> Option<Sender<Permit>> {
        let may_enter = self.may_enter.checked_sub(1)?;
        let (_, permit) = self.waiting.pop_first()?;
        self.may_enter = may_enter;
        Some(permit)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use super::*;

    fn add(list: &mut WaitList<()>, now: Instant) -> (u64, Duration) {
        list.add(tokio::sync::oneshot::channel().0, now).unwrap()
    }

    fn entered(list: &mut WaitList<()>) -> usize {
        std::iter::from_fn(|| list.next()).count()
    }

    #[test]
    fn wait_grows_with_the_list_within_its_bounds() {
        let now = Instant::now();
        let mut list = WaitList::new(now);
        let waits: Vec<_> = (0..MAX).map(|_| add(&mut list, now).1.as_secs_f64()).collect();
        let of = |length: usize| waits[length - 1];
        assert_eq!([of(1), of(1_000), of(2_000), of(4_000), of(MAX)], [2.0, 2.0, 4.0, 8.0, 8.0]);
        assert!(list.add(tokio::sync::oneshot::channel().0, now).is_none());
    }

    #[test]
    fn more_enter_from_round_to_round_until_one_has_to_wait() {
        let now = Instant::now();
        let mut list = WaitList::new(now);
        for _ in 0..100 {
            add(&mut list, now);
        }
        let steps = [(99, 9, 0), (100, 9, 1), (150, 1, 0), (200, 1, 2), (250, 0, 4), (260, 0, 8)];
        for (ms, in_use, count) in steps {
            list.released(in_use, now + Duration::from_millis(ms));
            assert_eq!(entered(&mut list), count, "after {ms} ms");
        }
        add(&mut list, now + Duration::from_millis(450));
        list.released(9, now + Duration::from_millis(500));
        assert_eq!(entered(&mut list), 0);
        list.released(9, now + Duration::from_millis(550));
        assert_eq!(entered(&mut list), 1);
    }

    #[test]
    fn permit_that_was_not_used_lets_one_enter() {
        let now = Instant::now();
        let mut list = WaitList::new(now);
        for _ in 0..3 {
            add(&mut list, now);
        }
        list.unused();
        assert_eq!(entered(&mut list), 1);
    }
}
