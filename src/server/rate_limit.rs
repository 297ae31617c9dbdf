//! The limit on attempts per second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::units::Rate;

use super::precedence::Standing;

/// How much of its rate a limit allows at once; three attempts in any case, so that those that come
/// too early can have less.
const BURST: Duration = Duration::from_millis(100);
const BURST_MIN: u32 = 3;

/// How far in advance attempts that have precedence may use the rate: buyers are told whole
/// seconds, and so come back many at a time.
const ADVANCE: Duration = Duration::from_secs(1);

/// The longest time until a turn.
const TURN_MAX: Duration = Duration::from_secs(30);

/// The generic cell rate algorithm (ITU-T I.371): a token bucket that needs one number, the time at
/// which the next attempt would be due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    interval_ns: u64,
    pub(super) burst_ns: u64,
}

impl Pace {
    /// Attempts at this rate; as many at once as `burst` brings, and at least one.
    pub(super) fn new(rate: Rate, burst: Duration) -> Self {
        let interval_ns = (1_000_000_000 / rate.per_second).max(1);
        Self { interval_ns, burst_ns: (burst.as_nanos() as u64).max(interval_ns) }
    }

    /// When the attempt after this one is due, if so much may be used at once.
    ///
    /// # Errors
    /// Returns the time until this attempt is within the limit.
    pub(super) fn next_due_ns(
        &self,
        due_ns: u64,
        now_ns: u64,
        burst_ns: u64,
    ) -> Result<u64, Duration> {
        let next_ns = due_ns.max(now_ns) + self.interval_ns;
        match next_ns.checked_sub(now_ns + burst_ns) {
            None | Some(0) => Ok(next_ns),
            Some(early_ns) => Err(Duration::from_nanos(early_ns)),
        }
    }
}

/// Admits a number of attempts per second, evenly, with bursts of a tenth of a second, without a
/// lock. Attempts that have precedence may use a second of the rate in advance, so that newcomers
/// wait for as long; those that come too early have a third less than newcomers.
///
/// Newcomers that are refused get turns, one after the other at this rate. Whoever comes back at
/// its turn then finds hardly any others that have precedence, and those that were refused first
/// are admitted first.
#[derive(Debug)]
pub struct RateLimit {
    started: Instant,
    pace: Pace,
    /// When the next attempt would be due, in nanoseconds since `started`.
    due_ns: AtomicU64,
    /// The last turn that was given, in nanoseconds since `started`.
    turn_ns: AtomicU64,
}

impl RateLimit {
    /// A limit at this rate.
    pub fn new(rate: Rate) -> Self {
        let mut pace = Pace::new(rate, BURST);
        pace.burst_ns = pace.burst_ns.max(u64::from(BURST_MIN) * pace.interval_ns);
        let (due_ns, turn_ns) = Default::default();
        Self { started: Instant::now(), pace, due_ns, turn_ns }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// Returns the time until its turn, if it is a newcomer's, and otherwise until one more attempt
    /// is within the limit; this one is not counted then.
    pub(super) fn admit(&self, standing: Standing) -> Result<(), Duration> {
        let now_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.admit_at(now_ns, standing)
    }

    fn admit_at(&self, now_ns: u64, standing: Standing) -> Result<(), Duration> {
        let burst_ns = match standing {
            Standing::First => self.pace.burst_ns + ADVANCE.as_nanos() as u64,
            Standing::New => self.pace.burst_ns,
            Standing::Early(_) => self.pace.burst_ns * 2 / 3,
        };
        let mut due_ns = self.due_ns.load(Ordering::Relaxed);
        loop {
            let next_ns = match self.pace.next_due_ns(due_ns, now_ns, burst_ns) {
                Err(_) if standing == Standing::New => return Err(self.turn(due_ns, now_ns)),
                next_ns => next_ns?,
            };
            let (relaxed, due) = (Ordering::Relaxed, &self.due_ns);
            match due.compare_exchange_weak(due_ns, next_ns, relaxed, relaxed) {
                Ok(_) => return Ok(()),
                Err(changed) => due_ns = changed,
            }
        }
    }

    /// The time until the next turn after all that were given. If that is too long, the turn is
    /// given to others as well.
    fn turn(&self, due_ns: u64, now_ns: u64) -> Duration {
        let last_ns = now_ns + TURN_MAX.as_nanos() as u64;
        let next = |turn_ns: u64| (turn_ns.max(due_ns) + self.pace.interval_ns).min(last_ns);
        let relaxed = Ordering::Relaxed;
        let before_ns = self.turn_ns.fetch_update(relaxed, relaxed, |turn_ns| Some(next(turn_ns)));
        let turn_ns = before_ns.map_or(last_ns, next);
        Duration::from_nanos(turn_ns.saturating_sub(now_ns))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::precedence::Precedence;
    use super::*;

    #[test]
    fn rate_is_kept_over_time() {
        let limit = RateLimit::new(Rate { per_second: 100 });
        let admitted =
            (0..10_000).filter(|ms| limit.admit_at(ms * 1_000_000, Standing::New).is_ok()).count();
        assert!((1_000..=1_010).contains(&admitted), "{admitted} in 10 s at 100/s");
    }

    #[test]
    fn burst_is_a_tenth_of_a_second() {
        let limit = RateLimit::new(Rate { per_second: 100 });
        assert_eq!((0..1_000).filter(|_| limit.admit_at(0, Standing::New).is_ok()).count(), 10);
        let slow = RateLimit::new(Rate { per_second: 1 });
        assert_eq!(
            (0..1_000).filter(|_| slow.admit_at(0, Standing::New).is_ok()).count(),
            3,
            "a burst has three attempts"
        );
    }

    #[test]
    fn precedence_uses_a_second_in_advance_and_the_rate_stays() {
        let limit = RateLimit::new(Rate { per_second: 100 });
        let admitted = |now_ms: u64, standing| {
            (0..500).filter(|_| limit.admit_at(now_ms * 1_000_000, standing).is_ok()).count()
        };
        let early = Standing::Early(Duration::from_secs(1));
        assert_eq!(admitted(0, early), 6);
        assert_eq!(admitted(0, Standing::New), 4);
        assert_eq!(admitted(0, Standing::First), 100);
        assert_eq!(admitted(990, Standing::New), 0, "who has precedence came first");
        assert_eq!(admitted(1_020, Standing::New), 2);
        let second = (1_020..2_020).map(|ms| admitted(ms, Standing::New)).sum::<usize>();
        assert!((95..=100).contains(&second), "{second} while nobody has precedence");
    }

    #[test]
    fn refused_attempt_is_told_when_it_is_within_the_limit() {
        let limit = RateLimit::new(Rate { per_second: 2 });
        assert!((0..3).all(|_| limit.admit_at(0, Standing::New).is_ok()));
        let early = Standing::Early(Duration::from_secs(1));
        let wait = limit.admit_at(600_000_000, early).unwrap_err();
        assert_eq!(wait, Duration::from_millis(400));
        assert_eq!(limit.admit_at(1_000_000_000, early), Ok(()));
    }

    #[test]
    fn refused_newcomers_get_turns_one_after_the_other() {
        let limit = RateLimit::new(Rate { per_second: 2 });
        assert!((0..3).all(|_| limit.admit_at(0, Standing::New).is_ok()));
        let turn = |now_ms: u64| {
            limit.admit_at(1_000_000 * now_ms, Standing::New).unwrap_err().as_millis()
        };
        assert_eq!([0, 100, 200].map(turn), [2_000, 2_400, 2_800]);
        let last = (0..100).map(|_| turn(300)).max();
        assert_eq!(last, Some(30_000), "turns that are too late are not kept apart");
        assert_eq!(turn(400), 30_000);
    }

    /// When each of the buyers is admitted at 5/s, in seconds, and after how many clicks. They come
    /// at these milliseconds, and come back when they are told.
    fn admissions(come_ms: &[u64]) -> Vec<(u64, usize)> {
        let (limit, precedence) = (RateLimit::new(Rate { per_second: 5 }), Precedence::default());
        let buyers = come_ms.iter().enumerate();
        let mut clicks: BTreeSet<_> = buyers.map(|(number, ms)| (*ms, number)).collect();
        let mut admitted = vec![(0, 0); come_ms.len()];
        while let Some((now_ms, number)) = clicks.pop_first() {
            let (buyer, now_us) = (format!("buyer-{number}").parse().unwrap(), 1_000 * now_ms);
            let standing = precedence.standing(&buyer, now_us);
            admitted[number].1 += 1;
            match limit.admit_at(1_000_000 * now_ms, standing) {
                Ok(()) => admitted[number].0 = now_ms / 1_000,
                Err(wait) => {
                    let told_s = precedence.refused_until(&buyer, wait, now_us);
                    clicks.insert((now_ms + 1_000 * told_s, number));
                }
            }
        }
        admitted
    }

    #[test]
    fn buyers_that_come_back_when_told_are_admitted_in_the_order_in_which_they_came() {
        let first = (0..40).map(|number| 200 + 10 * number);
        let later = (0..60).map(|number| 3_000 + 50 * number);
        let admitted = admissions(&first.chain(later).collect::<Vec<_>>());
        assert!(admitted.iter().all(|(_, clicks)| *clicks <= 3), "{admitted:?}");
        let (at_once, told): (Vec<_>, Vec<_>) =
            admitted.iter().partition(|(_, clicks)| *clicks == 1);
        assert!(at_once.len() <= 8, "hardly any found the limit free: {admitted:?}");
        let mut latest_s = 0;
        for (at_s, _) in told {
            assert!(at_s + 1 >= latest_s, "overtaken by more than a second: {admitted:?}");
            latest_s = latest_s.max(at_s);
        }
        assert!(latest_s <= 22, "100 buyers at 5/s: {admitted:?}");
    }
}
