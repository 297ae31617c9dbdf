//! Pacing as a pure function: it decides when a virtual user makes its next attempt.

use std::time::Duration;

use crate::history::AttemptNo;
use crate::profile::{Model, Period, Plan, Think};

/// What a virtual user does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It makes an attempt. `intended` is the moment at which the attempt is scheduled, if there is
    /// one; moments are since the beginning of the run.
    Now {
        /// The moment at which it should have begun.
        intended: Option<Duration>,
    },
    /// It waits for this long.
    Wait(Duration),
    /// It makes no further attempt.
    Done,
}

/// The closed model with JMeter's meaning, for one virtual user: it starts when the plan's number
/// of users includes it, and makes one attempt after the other, each after the answer to the one
/// before. It pauses while there are fewer users.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    periods: Vec<Period>,
    loops: Option<u64>,
    duration: Option<Duration>,
    think: Think,
    seed: u64,
}

impl Schedule {
    /// The schedule of user `thread`, from 0: with a ramp, it starts at ramp × thread / threads. In
    /// the open model users have no schedule.
    pub fn of_user(plan: &Plan, thread: u32) -> Self {
        let (periods, loops, think) = match &plan.model {
            Model::Closed { loops, think, .. } => {
                (plan.users().periods_above(thread.into()), *loops, *think)
            }
            Model::Open { .. } => (Vec::new(), None, Think::default()),
        };
        Self { periods, loops, duration: plan.duration, think, seed: plan.seed }
    }

    /// The next step before `attempt`, if the previous attempt ended at `free_since` and `elapsed`
    /// has passed since the beginning of the run.
    pub fn next(&self, elapsed: Duration, attempt: AttemptNo, free_since: Duration) -> Step {
        let is_first = attempt.index == 0;
        let think = match is_first {
            true => Duration::ZERO,
            false => self.think.draw(self.seed, attempt.number()),
        };
        let free = free_since.saturating_add(think);
        let mut periods = self.periods.iter();
        let Some(period) = periods.find(|period| period.end.is_none_or(|end| end > free)) else {
            return Step::Done;
        };
        let due = free.max(period.begin);
        let over = |moment| self.duration.is_some_and(|duration| moment >= duration);
        let is_named = is_first || !self.think.is_zero() || due == period.begin;
        if self.loops.is_some_and(|loops| attempt.index >= loops) || over(elapsed) || over(due) {
            Step::Done
        } else if elapsed < due {
            Step::Wait(due - elapsed)
        } else {
            Step::Now { intended: is_named.then_some(due) }
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

    fn schedule(flags: &[(&str, &str)], thread: u32) -> Schedule {
        let mut bench = BenchFlags::default();
        for (flag, value) in flags {
            match *flag {
                "threads" => bench.threads = value.parse().ok(),
                "ramp" => bench.ramp = value.parse().ok(),
                "loops" => bench.loops = value.parse().ok(),
                "duration" => bench.duration = value.parse().ok(),
                "think" => bench.think = value.parse().ok(),
                "stage" => bench.stage.get_or_insert_default().push(value.parse().unwrap()),
                _ => panic!("no such flag: {flag}"),
            }
        }
        Schedule::of_user(&Plan::new(&bench, 0).unwrap(), thread)
    }

    fn next(schedule: &Schedule, elapsed: u64, index: u64, free_since: u64) -> Step {
        schedule.next(s(elapsed), AttemptNo { thread: 0, index }, s(free_since))
    }

    const fn now(intended: u64) -> Step {
        Step::Now { intended: Some(s(intended)) }
    }

    #[test]
    fn users_start_along_the_ramp() {
        let plan = [("threads", "350"), ("ramp", "20s")];
        let starts = [0, 175, 349].map(|thread| next(&schedule(&plan, thread), 0, 0, 0));
        assert_eq!(starts[0], now(0));
        assert_eq!(starts[1], Step::Wait(s(10)));
        let Step::Wait(last) = starts[2] else { panic!("{:?}", starts[2]) };
        assert!(last < s(20) && last > s(19), "{last:?}");
    }

    #[test]
    fn user_ends_after_its_loops() {
        let schedule = schedule(&[("loops", "2")], 0);
        let steps = [0, 1, 2].map(|index| next(&schedule, 1, index, index.min(1)));
        assert_eq!(steps, [now(0), Step::Now { intended: None }, Step::Done]);
    }

    #[test]
    fn duration_ends_a_user_that_waits() {
        let schedule = schedule(&[("duration", "10s"), ("think", "3s")], 0);
        assert_eq!(next(&schedule, 5, 1, 4), Step::Wait(s(2)));
        assert_eq!(next(&schedule, 7, 1, 4), now(7));
        assert_eq!(next(&schedule, 8, 1, 8), Step::Done, "it would begin at 11 s");
        assert_eq!(next(&schedule, 10, 0, 0), Step::Done);
    }

    #[test]
    fn stages_pause_and_resume_users() {
        let stages = [("stage", "10s:10"), ("stage", "10s:0"), ("stage", "10s:10")];
        let schedule = schedule(&stages, 5);
        assert_eq!(next(&schedule, 0, 0, 0), Step::Wait(s(5)));
        assert_eq!(next(&schedule, 14, 3, 14), Step::Now { intended: None });
        assert_eq!(next(&schedule, 16, 4, 16), Step::Wait(s(9)));
        assert_eq!(next(&schedule, 25, 4, 16), now(25));
        assert_eq!(next(&schedule, 30, 5, 30), Step::Done);
    }
}
