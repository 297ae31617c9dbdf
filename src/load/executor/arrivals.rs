//! The arrivals of the open model, as a pure sequence of attempts and moments.

use std::time::Duration;

use crate::profile::{Arrival, Levels, Segment};
use crate::random::{self, Draw};

/// The attempts of a run in order, each with its moment since the beginning of the run. The same
/// seed yields the same sequence on every machine.
#[derive(Debug, Clone)]
pub struct Arrivals {
    segments: Vec<Segment>,
    /// The segment of the last attempt, and the number of attempts before that segment.
    segment: usize,
    before: f64,
    arrival: Arrival,
    seed: u64,
    end: Duration,
    number: u64,
    /// The area below the rate up to the last attempt; for evenly spaced attempts, its number.
    total: f64,
}

impl Arrivals {
    /// Attempts at `rate` until `end`.
    pub fn new(rate: &Levels, arrival: Arrival, seed: u64, end: Duration) -> Self {
        let segments = rate.segments().collect();
        Self { segments, segment: 0, before: 0.0, arrival, seed, end, number: 0, total: 0.0 }
    }
}

impl Iterator for Arrivals {
    /// Its number from 0, and its moment.
    type Item = (u64, Duration);

    fn next(&mut self) -> Option<Self::Item> {
        let number = self.number;
        self.total = match self.arrival {
            Arrival::Constant => number as f64,
            // Exponential steps of a Poisson process of rate 1, on the scale of the area below the
            // rate: the time change of a Poisson process (Çinlar, Introduction to Stochastic
            // Processes, 1975, 4.7).
            Arrival::Poisson => self.total + random::exponential(self.seed, Draw::Arrival, number),
        };
        let at = loop {
            let segment = self.segments.get(self.segment)?;
            let area = segment.area();
            if area > 0.0 && self.total - self.before <= area {
                break segment.time_of(self.total - self.before);
            }
            self.before += area;
            self.segment += 1;
        };
        self.number += 1;
        (at < self.end).then_some((number, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn moments(rate: &Levels, arrival: Arrival, end: Duration) -> Vec<Duration> {
        Arrivals::new(rate, arrival, 7, end).map(|(_, at)| at).collect()
    }

    #[test]
    fn constant_arrivals_are_evenly_spaced() {
        let rate = Levels::new(4.0, []);
        let expected: Vec<_> = (0..8).map(|n| Duration::from_millis(250 * n)).collect();
        assert_eq!(moments(&rate, Arrival::Constant, s(2)), expected);
    }

    #[test]
    fn arrivals_follow_the_stages() {
        // 0 to 100/s in 2 s, 100/s for 1 s, then none for 2 s, then 50/s.
        let stages = [(s(2), 100.0), (s(1), 100.0), (s(0), 0.0), (s(2), 0.0), (s(0), 50.0)];
        let rate = Levels::new(0.0, stages);
        let moments = moments(&rate, Arrival::Constant, s(6));
        let within = |from, to| moments.iter().filter(|at| (s(from)..s(to)).contains(*at)).count();
        assert_eq!([within(0, 1), within(1, 2), within(2, 3)], [25, 75, 100]);
        assert_eq!([within(3, 5), within(5, 6)], [1, 49], "the 200th is due when the third ends");
        assert!(moments.is_sorted());
    }

    #[test]
    fn poisson_arrivals_have_the_expected_rate_and_deviation() {
        let rate = Levels::new(1_000.0, []);
        let moments = moments(&rate, Arrival::Poisson, s(100));
        assert!((99_000..101_000).contains(&moments.len()), "{}", moments.len());
        let gaps = moments.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64());
        let (sum, squares) =
            gaps.fold((0.0, 0.0), |(sum, squares), gap| (sum + gap, squares + gap * gap));
        let n = moments.len() as f64 - 1.0;
        let mean = sum / n;
        let deviation = (squares / n - mean * mean).sqrt();
        assert!((deviation / mean - 1.0).abs() < 0.02, "{deviation} {mean}");
    }

    #[test]
    fn seed_reproduces_the_arrivals() {
        let rate = Levels::new(100.0, []);
        let of = |seed| Arrivals::new(&rate, Arrival::Poisson, seed, s(5)).collect::<Vec<_>>();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
