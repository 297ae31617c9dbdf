//! A level that changes with time: straight lines from one stage's end to the next one's.

use std::time::Duration;

/// So many users, or attempts a second, at every moment of a run. After the last stage it stays as
/// it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    start: f64,
    stages: Vec<(Duration, f64)>,
}

/// A straight line: from a level at one moment to a level at another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Where it begins.
    pub from: Duration,
    /// Where it ends; not before it begins.
    pub to: Duration,
    /// The level at its beginning.
    pub low: f64,
    /// The level at its end.
    pub high: f64,
}

/// A time during which the level is above something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// From this moment.
    pub begin: Duration,
    /// Up to this one; without end where there is none.
    pub end: Option<Duration>,
}

impl Levels {
    /// From `start` through stages: how long each lasts, and what it leads to.
    pub fn new(start: f64, stages: impl IntoIterator<Item = (Duration, f64)>) -> Self {
        Self { start, stages: stages.into_iter().collect() }
    }

    /// The highest level.
    pub fn highest(&self) -> f64 {
        self.stages.iter().map(|(_, level)| *level).fold(self.start, f64::max)
    }

    /// How long all stages last.
    pub fn length(&self) -> Duration {
        self.stages.iter().fold(Duration::ZERO, |sum, (over, _)| sum.saturating_add(*over))
    }

    /// The stages as lines, and a last one that goes on for ever.
    pub fn lines(&self) -> impl Iterator<Item = Line> {
        let (mut from, mut low) = (Duration::ZERO, self.start);
        let for_ever = (Duration::MAX, self.stages.last().map_or(self.start, |(_, level)| *level));
        self.stages.iter().copied().chain([for_ever]).map(move |(over, high)| {
            let line = Line { from, to: from.saturating_add(over), low, high };
            (from, low) = (line.to, high);
            line
        })
    }

    /// When the level is above `floor`.
    pub fn periods_above(&self, floor: f64) -> Vec<Period> {
        let mut periods: Vec<Period> = Vec::new();
        let mut begun = (self.start > floor).then_some(Duration::ZERO);
        for line in self.lines() {
            match begun {
                None if line.high > floor => begun = Some(line.crossing(floor)),
                Some(begin) if line.high <= floor => {
                    periods.push(Period { begin, end: Some(line.crossing(floor)) });
                    begun = None;
                }
                _ => {}
            }
        }
        periods.extend(begun.map(|begin| Period { begin, end: None }));
        periods
    }
}

impl Line {
    /// Where the line passes a level between its ends.
    fn crossing(&self, level: f64) -> Duration {
        let part = (level - self.low) / (self.high - self.low);
        self.from + (self.to - self.from).mul_f64(part.clamp(0.0, 1.0))
    }

    /// The area below it.
    pub fn area(&self) -> f64 {
        (self.low + self.high) / 2.0 * (self.to - self.from).as_secs_f64()
    }

    /// When the area below it, from its beginning, is `area`, which is at most all of it.
    pub fn time_of(&self, area: f64) -> Duration {
        let seconds = (self.to - self.from).as_secs_f64();
        let slope = (self.high - self.low) / seconds;
        // low t + slope t² / 2 = area, solved in the form that has no difference of near numbers.
        let root = (self.low * self.low + 2.0 * slope * area).max(0.0).sqrt();
        let time = if area > 0.0 { 2.0 * area / (self.low + root) } else { 0.0 };
        let time = time.min(seconds);
        self.from + Duration::from_secs_f64(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn period(begin: f64, end: impl Into<Option<f64>>) -> Period {
        Period { begin: s(begin), end: end.into().map(s) }
    }

    #[test]
    fn users_come_and_go_with_the_level() {
        // Up to 10 in 10 s, 10 s there, down to 5 in 5 s, then to 0 at once.
        let stages = [(s(10.0), 10.0), (s(10.0), 10.0), (s(5.0), 5.0), (s(0.0), 0.0)];
        let levels = Levels::new(0.0, stages);
        assert_eq!(levels.periods_above(0.0), [period(0.0, 25.0)]);
        assert_eq!(levels.periods_above(5.0), [period(5.0, 25.0)]);
        assert_eq!(levels.periods_above(8.0), [period(8.0, 22.0)]);
        assert_eq!(levels.periods_above(10.0), []);
        assert_eq!((levels.highest(), levels.length()), (10.0, s(25.0)));
    }

    #[test]
    fn a_level_that_comes_back_has_several_periods() {
        let stages = [(s(2.0), 0.0), (s(2.0), 2.0)];
        let levels = Levels::new(2.0, stages);
        assert_eq!(levels.periods_above(1.0), [period(0.0, 1.0), period(3.0, None)]);
        assert_eq!(levels.periods_above(0.0), [period(0.0, 2.0), period(2.0, None)]);
    }

    #[test]
    fn a_ramp_of_nought_starts_all_at_once() {
        let levels = Levels::new(0.0, [(s(0.0), 350.0)]);
        assert_eq!(levels.periods_above(349.0), [period(0.0, None)]);
    }

    #[test]
    fn the_area_is_reached_when_it_is() {
        let rising = Line { from: s(1.0), to: s(5.0), low: 0.0, high: 8.0 };
        assert_eq!(rising.area(), 16.0);
        assert_eq!(rising.time_of(4.0), s(3.0));
        assert_eq!(rising.time_of(0.0), s(1.0));
        let level = Line { from: s(1.0), to: s(5.0), low: 2.0, high: 2.0 };
        assert_eq!(level.time_of(3.0), s(2.5));
        let falling = Line { from: s(0.0), to: s(4.0), low: 8.0, high: 0.0 };
        assert_eq!(falling.time_of(12.0), s(2.0));
        assert_eq!(falling.time_of(16.0), s(4.0));
    }
}
