//! A level that changes over time, as a piecewise linear function: one segment for each stage.

use std::time::Duration;

/// The number of users, or of attempts per second, at every moment of a run. After the last stage
/// it is constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels {
    start: f64,
    stages: Vec<(Duration, f64)>,
}

/// A linear segment: from a level at one moment to a level at another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// The moment of its beginning.
    pub from: Duration,
    /// The moment of its end; not before its beginning.
    pub to: Duration,
    /// The level at its beginning.
    pub low: f64,
    /// The level at its end.
    pub high: f64,
}

/// A period during which the level is above a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its beginning.
    pub begin: Duration,
    /// Its end; `None` for a period without end.
    pub end: Option<Duration>,
}

impl Levels {
    /// The level that begins at `start` and follows the stages, each given by its length and the
    /// level at its end.
    pub fn new(start: f64, stages: impl IntoIterator<Item = (Duration, f64)>) -> Self {
        Self { start, stages: stages.into_iter().collect() }
    }

    /// The highest level.
    pub fn highest(&self) -> f64 {
        self.stages.iter().map(|(_, level)| *level).fold(self.start, f64::max)
    }

    /// The total length of all stages.
    pub fn length(&self) -> Duration {
        self.stages.iter().fold(Duration::ZERO, |sum, (over, _)| sum.saturating_add(*over))
    }

    /// The segments of all stages, and a last one without end.
    pub fn segments(&self) -> impl Iterator<Item = Segment> {
        let (mut from, mut low) = (Duration::ZERO, self.start);
        let forever = (Duration::MAX, self.stages.last().map_or(self.start, |(_, level)| *level));
        self.stages.iter().copied().chain([forever]).map(move |(over, high)| {
            let segment = Segment { from, to: from.saturating_add(over), low, high };
            (from, low) = (segment.to, high);
            segment
        })
    }

    /// The periods in which the level is above `floor`.
    pub fn periods_above(&self, floor: f64) -> Vec<Period> {
        let mut periods: Vec<Period> = Vec::new();
        let mut begun = (self.start > floor).then_some(Duration::ZERO);
        for segment in self.segments() {
            match begun {
                None if segment.high > floor => begun = Some(segment.crossing(floor)),
                Some(begin) if segment.high <= floor => {
                    periods.push(Period { begin, end: Some(segment.crossing(floor)) });
                    begun = None;
                }
                _ => {}
            }
        }
        periods.extend(begun.map(|begin| Period { begin, end: None }));
        periods
    }
}

impl Segment {
    /// The moment at which the segment crosses a level between its ends.
    fn crossing(&self, level: f64) -> Duration {
        let part = (level - self.low) / (self.high - self.low);
        self.from + (self.to - self.from).mul_f64(part.clamp(0.0, 1.0))
    }

    /// The area below the segment.
    pub fn area(&self) -> f64 {
        (self.low + self.high) / 2.0 * (self.to - self.from).as_secs_f64()
    }

    /// The moment at which the area below the segment, counted from its beginning, reaches `area`,
    /// which is at most the whole area.
    pub fn time_of(&self, area: f64) -> Duration {
        let seconds = (self.to - self.from).as_secs_f64();
        let slope = (self.high - self.low) / seconds;
        // low t + slope t² / 2 = area, solved in the form that avoids a difference of nearly equal
        // numbers.
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
    fn each_user_is_active_while_the_level_exceeds_it() {
        // Up to 10 in 10 s, 10 s there, down to 5 in 5 s, then immediately to 0.
        let stages = [(s(10.0), 10.0), (s(10.0), 10.0), (s(5.0), 5.0), (s(0.0), 0.0)];
        let levels = Levels::new(0.0, stages);
        assert_eq!(levels.periods_above(0.0), [period(0.0, 25.0)]);
        assert_eq!(levels.periods_above(5.0), [period(5.0, 25.0)]);
        assert_eq!(levels.periods_above(8.0), [period(8.0, 22.0)]);
        assert_eq!(levels.periods_above(10.0), []);
        assert_eq!((levels.highest(), levels.length()), (10.0, s(25.0)));
    }

    #[test]
    fn level_that_recovers_has_several_periods() {
        let stages = [(s(2.0), 0.0), (s(2.0), 2.0)];
        let levels = Levels::new(2.0, stages);
        assert_eq!(levels.periods_above(1.0), [period(0.0, 1.0), period(3.0, None)]);
        assert_eq!(levels.periods_above(0.0), [period(0.0, 2.0), period(2.0, None)]);
    }

    #[test]
    fn ramp_of_zero_starts_all_users_immediately() {
        let levels = Levels::new(0.0, [(s(0.0), 350.0)]);
        assert_eq!(levels.periods_above(349.0), [period(0.0, None)]);
    }

    #[test]
    fn time_of_inverts_the_area() {
        let rising = Segment { from: s(1.0), to: s(5.0), low: 0.0, high: 8.0 };
        assert_eq!(rising.area(), 16.0);
        assert_eq!(rising.time_of(4.0), s(3.0));
        assert_eq!(rising.time_of(0.0), s(1.0));
        let level = Segment { from: s(1.0), to: s(5.0), low: 2.0, high: 2.0 };
        assert_eq!(level.time_of(3.0), s(2.5));
        let falling = Segment { from: s(0.0), to: s(4.0), low: 8.0, high: 0.0 };
        assert_eq!(falling.time_of(12.0), s(2.0));
        assert_eq!(falling.time_of(16.0), s(4.0));
    }
}
