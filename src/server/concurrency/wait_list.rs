//! The attempts that have found no permit.
//!
//! After a short stall they get permits in the order in which they came. When some have waited for
//! a while without a moment at which none did, that is overload: permits go to attempts that have
//! just arrived, and those on the list are passed over, since accepting one of them late would make
//! another one late. This is adaptive LIFO (Maurer, "Fail at Scale", ACM Queue 13(8), 2015). When
//! no attempt has had to wait for a while, the overload may have ended: attempts that were passed
//! over get permits, youngest first, and twice as many from round to round, until there is overload
//! again. An attempt that has waited long enough is refused, and not earlier: a refused client
//! comes again, and the requests of many such clients are the overload.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::oneshot::Sender;

/// The shortest wait before a refusal: a buyer who clicks again does so after a second or two.
pub(super) const PATIENCE_MIN: Duration = Duration::from_secs(2);

/// The longest wait. It is below the 10 s after which `deploy/seckill.conf` has nginx give up.
const PATIENCE_MAX: Duration = Duration::from_secs(8);

/// By which share of their wait above [`PATIENCE_MIN`] attempts give up earlier, at most: thousands
/// that came in one moment would otherwise be refused in one moment, and come again in one.
const SPREAD: f64 = 1.0 / 3.0;

/// About how many are refused per second as long as the wait is below [`PATIENCE_MAX`]. A refusal
/// after a wait costs as much CPU as an accepted attempt, since the memory of its connection is in
/// no cache by then.
const REFUSALS_PER_SECOND: u32 = 500;

/// Attempts that wait; further ones are refused at once. This bounds their memory, which is some
/// 16 KiB each with their connection.
pub(super) const MAX: usize = 65_536;

/// If there were attempts in each moment of this time that had to wait, that is overload. It is
/// longer than most stalls of a disk, and bounds what those that are accepted have waited.
const STALL: Duration = Duration::from_millis(40);

/// If no attempt had to wait for so long, the overload may have ended.
const CALM: Duration = Duration::from_millis(100);

/// The time between two rounds.
const ROUND: Duration = Duration::from_millis(20);

/// The attempts that wait, and how many of them may get a permit.
#[derive(Debug)]
pub(super) struct WaitList<Permit> {
    /// By arrival.
    waiting: BTreeMap<u64, Sender<Permit>>,
    next_number: u64,
    /// Attempts with lower numbers were passed over.
    passed_over: u64,
    /// Since when some wait that were not passed over.
    in_order_since: Option<Instant>,
    /// When an attempt last had to wait during overload.
    overloaded_at: Option<Instant>,
    /// When the next round begins.
    next_round_at: Instant,
    /// How many of those that were passed over were allowed in the last round; 0 if there has been
    /// overload since.
    allowed: usize,
    /// How many of them may still get a permit.
    may_enter: usize,
}

impl<Permit> WaitList<Permit> {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next_number: 0,
            passed_over: 0,
            in_order_since: None,
            overloaded_at: None,
            next_round_at: now,
            allowed: 0,
            may_enter: 0,
        }
    }

    /// Adds an attempt, and returns its number and how long it should wait; `None` if the list is
    /// full.
    pub(super) fn add(&mut self, permit: Sender<Permit>, now: Instant) -> Option<(u64, Duration)> {
        let is_full = self.waiting.len() == MAX;
        let number = self.next_number;
        if !is_full {
            self.next_number += 1;
            self.waiting.insert(number, permit);
            self.in_order_since.get_or_insert(now);
        }
        if self.is_overloaded(now) || self.has_waited_long(now) {
            self.pass_over(now);
        }
        (!is_full).then(|| (number, self.patience(number)))
    }

    /// How long the attempt that has just been added should wait.
    fn patience(&self, number: u64) -> Duration {
        let evenly = Duration::from_secs(self.waiting.len() as u64) / REFUSALS_PER_SECOND;
        let longest = evenly.clamp(PATIENCE_MIN, PATIENCE_MAX);
        // Multiples of the golden ratio fall evenly between 0 and 1, however many there are.
        let share = (number as f64 * std::f64::consts::GOLDEN_RATIO).fract();
        longest - (longest - PATIENCE_MIN).mul_f64(SPREAD * share)
    }

    /// Whether no attempt waits, and there was no overload lately.
    pub(super) fn is_calm(&self, now: Instant) -> bool {
        self.waiting.is_empty() && !self.is_overloaded(now)
    }

    /// Removes an attempt that does not wait any more, if it is still on the list.
    pub(super) fn remove(&mut self, number: u64) {
        self.waiting.remove(&number);
        self.note_if_none_in_order();
    }

    /// A permit was given back, and `in_use` others are in use. If there are none, or if the next
    /// round has come, twice as many as in the last round may enter.
    pub(super) fn released(&mut self, in_use: usize, now: Instant) {
        if in_use > 0 && now < self.next_round_at {
            return;
        }
        self.allowed = (2 * self.allowed).clamp(1, MAX);
        (self.next_round_at, self.may_enter) = (now + ROUND, self.allowed);
    }

    /// A permit was given back that was not used to accept an attempt.
    pub(super) fn unused(&mut self) {
        self.may_enter = self.may_enter.max(1);
    }

    /// The one that is to get a permit now, if there is one: the oldest one of a short stall, or
    /// the youngest one that was passed over, as the others have waited for long in any case.
    pub(super) fn next(&mut self, now: Instant) -> Option<Sender<Permit>> {
        if self.has_waited_long(now) {
            self.pass_over(now);
        }
        if let Some((&number, _)) = self.waiting.range(self.passed_over..).next() {
            let permit = self.waiting.remove(&number);
            self.note_if_none_in_order();
            return permit;
        }
        self.may_enter = self.may_enter.checked_sub(1)?;
        self.waiting.pop_last().map(|(_, permit)| permit)
    }

    fn is_overloaded(&self, now: Instant) -> bool {
        self.overloaded_at.is_some_and(|at| now.saturating_duration_since(at) < CALM)
    }

    fn has_waited_long(&self, now: Instant) -> bool {
        self.in_order_since.is_some_and(|since| now.saturating_duration_since(since) >= STALL)
    }

    /// There is overload: those that wait now are passed over.
    fn pass_over(&mut self, now: Instant) {
        (self.passed_over, self.in_order_since) = (self.next_number, None);
        self.overloaded_at = Some(now);
        (self.next_round_at, self.allowed, self.may_enter) = (now + CALM, 0, 0);
    }

    fn note_if_none_in_order(&mut self) {
        if self.waiting.range(self.passed_over..).next().is_none() {
            self.in_order_since = None;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use std::ops::Range;

    use super::*;

    fn add(list: &mut WaitList<()>, now: Instant) -> (u64, Duration) {
        list.add(tokio::sync::oneshot::channel().0, now).unwrap()
    }

    fn entered(list: &mut WaitList<()>, now: Instant) -> usize {
        std::iter::from_fn(|| list.next(now)).count()
    }

    #[test]
    fn wait_grows_with_the_list_and_is_spread_within_its_bounds() {
        let now = Instant::now();
        let mut list = WaitList::new(now);
        let waits: Vec<_> = (0..MAX).map(|_| add(&mut list, now).1.as_secs_f64()).collect();
        let shortest_and_longest = |lengths: Range<usize>| {
            let waits = waits[lengths].iter();
            waits.fold((f64::MAX, 0.0_f64), |(min, max), wait| (min.min(*wait), max.max(*wait)))
        };
        assert_eq!(shortest_and_longest(0..1_000), (2.0, 2.0));
        let (shortest, longest) = shortest_and_longest(1_900..2_000);
        assert!(3.2 < shortest && shortest < 3.3 && longest < 4.0 && longest > 3.8);
        let (shortest, longest) = shortest_and_longest(4_000..MAX);
        assert!(6.0 < shortest && shortest < 6.1 && longest <= 8.0 && longest > 7.9);
        assert!(list.add(tokio::sync::oneshot::channel().0, now).is_none());
    }

    #[test]
    fn those_of_a_short_stall_enter_in_the_order_in_which_they_came() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut list = WaitList::new(now);
        let (sender, first) = tokio::sync::oneshot::channel();
        list.add(sender, now).unwrap();
        add(&mut list, at(30));
        list.next(at(35)).unwrap().send(()).unwrap();
        assert_eq!(first.blocking_recv(), Ok(()));
        assert_eq!(entered(&mut list, at(35)), 1);
        add(&mut list, at(50));
        assert_eq!(entered(&mut list, at(80)), 1, "none waited before it");
        add(&mut list, at(100));
        assert_eq!(entered(&mut list, at(140)), 0, "it has waited for long");
    }

    #[test]
    fn after_overload_more_enter_from_round_to_round_until_there_is_overload_again() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut list = WaitList::new(now);
        for _ in 0..99 {
            add(&mut list, now);
        }
        add(&mut list, at(40));
        for (ms, in_use, count) in
            [(139, 9, 0), (140, 9, 1), (150, 1, 0), (160, 1, 2), (170, 0, 4), (180, 0, 8)]
        {
            list.released(in_use, at(ms));
            assert_eq!(entered(&mut list, at(ms)), count, "after {ms} ms");
        }
        add(&mut list, at(190));
        assert_eq!(entered(&mut list, at(199)), 1, "a short stall is no overload");
        list.released(9, at(200));
        assert_eq!(entered(&mut list, at(200)), 16);
        add(&mut list, at(210));
        for (ms, count) in [(250, 0), (340, 0), (350, 1)] {
            assert_eq!(entered(&mut list, at(ms)), 0);
            list.released(9, at(ms));
            assert_eq!(entered(&mut list, at(ms)), count, "after {ms} ms");
        }
    }

    #[test]
    fn attempts_that_come_during_overload_are_passed_over_at_once() {
        let now = Instant::now();
        let at = |ms| now + Duration::from_millis(ms);
        let mut list = WaitList::new(now);
        add(&mut list, now);
        add(&mut list, at(40));
        add(&mut list, at(100));
        assert_eq!(entered(&mut list, at(101)), 0);
        assert!(!list.is_calm(at(101)));
    }

    #[test]
    fn permit_that_was_not_used_lets_one_enter() {
        let now = Instant::now();
        let mut list = WaitList::new(now);
        for _ in 0..3 {
            add(&mut list, now);
        }
        assert_eq!(list.waiting.len(), 3);
        list.pass_over(now);
        list.unused();
        assert_eq!(entered(&mut list, now), 1);
    }
}
