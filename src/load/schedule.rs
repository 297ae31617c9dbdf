//! Pacing, as a pure function: when may a virtual user make its next attempt?

use std::time::Duration;

use crate::profile::Plan;

/// What a virtual user does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An attempt. `intended` is the moment that the schedule names for it, if it names one;
    /// moments are since the beginning of the run.
    Now {
        /// When it should have begun.
        intended: Option<Duration>,
    },
    /// Nothing for so long.
    Wait(Duration),
    /// Nothing any more.
    Done,
}

/// The closed model with JMeter's meaning, for one virtual user: it starts at its place in the
/// ramp and makes one attempt after the other, each after the answer to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    start: Duration,
    loops: Option<u64>,
    duration: Option<Duration>,
    think: Duration,
}

impl Schedule {
    /// The schedule of user `index`, from 0, of the plan's threads: it starts at
    /// ramp × index / threads.
    pub fn of_user(plan: &Plan, index: u64) -> Self {
        let fraction = index as f64 / plan.threads.max(1) as f64;
        Self {
            start: plan.ramp.mul_f64(fraction),
            loops: plan.loops,
            duration: plan.duration,
            think: plan.think,
        }
    }

    /// What to do after `sent` attempts, the last of which ended at `free_since`, now that
    /// `elapsed` has passed since the beginning of the run.
    pub fn next(&self, elapsed: Duration, sent: u64, free_since: Duration) -> Step {
        let due = if sent == 0 { self.start } else { free_since.saturating_add(self.think) };
        let over = |moment| self.duration.is_some_and(|duration| moment >= duration);
        if self.loops.is_some_and(|loops| sent >= loops) || over(elapsed) || over(due) {
            Step::Done
        } else if elapsed < due {
            Step::Wait(due - elapsed)
        } else if sent == 0 || !self.think.is_zero() {
            Step::Now { intended: Some(due) }
        } else {
            Step::Now { intended: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BenchFlags;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn schedule(flags: &[(&str, &str)], index: u64) -> Schedule {
        let mut bench = BenchFlags::default();
        for (flag, value) in flags {
            match *flag {
                "threads" => bench.threads = value.parse().ok(),
                "ramp" => bench.ramp = value.parse().ok(),
                "loops" => bench.loops = value.parse().ok(),
                "duration" => bench.duration = value.parse().ok(),
                "think" => bench.think = value.parse().ok(),
                _ => panic!("no such flag: {flag}"),
            }
        }
        Schedule::of_user(&Plan::new(&bench, 0).unwrap(), index)
    }

    #[test]
    fn users_start_along_the_ramp() {
        let plan = [("threads", "350"), ("ramp", "20s")];
        let starts: Vec<_> =
            [0, 175, 349].map(|i| schedule(&plan, i).next(s(0), 0, s(0))).into_iter().collect();
        assert_eq!(starts[0], Step::Now { intended: Some(s(0)) });
        assert_eq!(starts[1], Step::Wait(s(10)));
        let Step::Wait(last) = starts[2] else { panic!("{:?}", starts[2]) };
        assert!(last < s(20) && last > s(19), "{last:?}");
    }

    #[test]
    fn a_user_ends_after_its_loops() {
        let schedule = schedule(&[("loops", "2")], 0);
        let steps = [0, 1, 2].map(|sent| schedule.next(s(1), sent, s(1)));
        let first = Step::Now { intended: Some(s(0)) };
        assert_eq!(steps, [first, Step::Now { intended: None }, Step::Done]);
    }

    #[test]
    fn a_duration_ends_it_even_while_it_waits() {
        let schedule = schedule(&[("duration", "10s"), ("think", "3s")], 0);
        assert_eq!(schedule.next(s(5), 1, s(4)), Step::Wait(s(2)));
        assert_eq!(schedule.next(s(7), 1, s(4)), Step::Now { intended: Some(s(7)) });
        assert_eq!(schedule.next(s(8), 1, s(8)), Step::Done, "it would begin at 11 s");
        assert_eq!(schedule.next(s(10), 0, s(0)), Step::Done);
    }
}
