//! Axes of charts: where a value lies, and which values are labelled.

/// Largest number of labels of an axis: more collide on a telephone.
const TICKS_MAX: usize = 6;

/// A label of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    /// Where it is, in percent of the axis.
    pub(super) at: String,
    /// The same in the coordinates of the drawing.
    pub(super) line: String,
    pub(super) text: String,
    /// Whether it is left out where there is little room.
    pub(super) is_spare: bool,
}

/// Largest number of powers of ten of a vertical axis that are all labelled.
const POWERS_MAX: i32 = 8;

/// An axis: from its values to 0 (its beginning) to 1 (its end).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scale {
    /// Equal distances are equal differences.
    Linear { low: f64, high: f64, step: f64 },
    /// Equal distances are equal ratios. Both ends are above 0.
    Log {
        low: f64,
        high: f64,
        /// Every how many-th power of ten is labelled.
        every: usize,
    },
}

impl Scale {
    /// A linear axis that contains 0 and these values; it ends at a label.
    pub(super) fn linear(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((0.0, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)));
        let high = if high > low { high } else { low + 1.0 };
        let step = step(high - low);
        let ends = |value: f64| value / step;
        Self::Linear { low: ends(low).floor() * step, high: ends(high).ceil() * step, step }
    }

    /// The same for counts, which have no labels between whole numbers.
    pub(super) fn counts(values: impl Iterator<Item = f64>) -> Self {
        match Self::linear(values) {
            Self::Linear { low, high, step } if step < 1.0 => {
                Self::Linear { low: low.floor(), high: high.ceil(), step: 1.0 }
            }
            axis => axis,
        }
    }

    /// A linear axis that ends where its values end.
    pub(super) fn exact(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self::Linear { low, high, step: step(high - low) }
    }

    /// A logarithmic axis from one power of ten to another that contains these values, all above 0.
    /// Both ends are labelled.
    pub(super) fn log(values: impl Iterator<Item = f64>) -> Self {
        let usable = values.filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = usable.fold((f64::MAX, 0.0), |(low, high): (f64, f64), value| {
            (low.min(value), high.max(value))
        });
        if high <= 0.0 {
            return Self::Log { low: 1.0, high: 10.0, every: 1 };
        }
        let (low, high) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let powers = (high - low).max(1);
        let every = powers / POWERS_MAX + 1;
        let high = low + (powers + every - 1) / every * every;
        Self::Log { low: 10f64.powi(low), high: 10f64.powi(high), every: every as usize }
    }

    /// A logarithmic axis from 1 to a value.
    pub(super) fn log_from_one(high: f64) -> Self {
        // No run has more requests.
        let high = high.clamp(10.0, 1e20);
        Self::Log { low: 1.0, high, every: high.log10() as usize / TICKS_MAX + 1 }
    }

    /// Where a value lies, from 0 to 1.
    pub(super) fn at(self, value: f64) -> f64 {
        let at = match self {
            Self::Linear { low, high, .. } => (value - low) / (high - low),
            Self::Log { low, high, .. } => (value.max(low) / low).ln() / (high / low).ln(),
        };
        if at.is_finite() { at.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The values that are labelled.
    pub(super) fn labelled(self) -> Vec<f64> {
        match self {
            Self::Linear { low, high, step } => {
                let first = (low / step).ceil();
                let all = (0..=2 * TICKS_MAX).map(|number| (first + number as f64) * step);
                all.take_while(|value| *value <= high + step * 1e-6).collect()
            }
            Self::Log { low, high, every } => {
                let (first, last) = (low.log10().round() as i32, (high * 1.000_001).log10() as i32);
                (first..=last).step_by(every).map(|power| 10f64.powi(power)).collect()
            }
        }
    }
}

/// The difference between labels for an axis of this length: 1, 2 or 5 times a power of ten.
fn step(length: f64) -> f64 {
    let wanted = length / (TICKS_MAX - 1) as f64;
    let power = 10f64.powf(wanted.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= wanted * 0.999);
    factor.unwrap_or(10.0) * power
}

/// Writes the labels of a time axis of this length, in the unit that tells them apart.
pub(super) fn seconds(length_s: f64) -> fn(f64) -> String {
    match length_s {
        length if length > 5.0 => |second| format!("{second:.0} s"),
        length if length >= 1.0 => |second| format!("{} s", (10.0 * second).round() / 10.0),
        length if length >= 5e-3 => |second| format!("{:.0} ms", 1e3 * second),
        _ => |second| format!("{:.0} µs", 1e6 * second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_axis_ends_at_round_values() {
        let axis = Scale::linear([3.0, 182.0].into_iter());
        assert_eq!(axis, Scale::Linear { low: 0.0, high: 200.0, step: 50.0 });
        assert_eq!(axis.labelled(), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!((axis.at(0.0), axis.at(50.0), axis.at(999.0)), (0.0, 0.25, 1.0));
        let below = Scale::linear([-2.0, 10.0].into_iter());
        assert_eq!(below.labelled(), [-5.0, 0.0, 5.0, 10.0]);
        assert_eq!(Scale::linear([0.0].into_iter()).labelled().last(), Some(&1.0));
        assert_eq!(Scale::counts([-1.0, 0.0].into_iter()).labelled(), [-1.0, 0.0]);
        assert_eq!(Scale::counts([10.0].into_iter()), Scale::linear([10.0].into_iter()));
    }

    #[test]
    fn logarithmic_axis_ends_at_powers_of_ten() {
        let axis = Scale::log([0.0, 14.0, 21_000_000.0].into_iter());
        assert_eq!(axis, Scale::Log { low: 10.0, high: 1e8, every: 1 });
        assert_eq!(axis.labelled().last(), Some(&1e8));
        let long = Scale::log([1.0, 2e8].into_iter());
        assert_eq!(long.labelled(), [1.0, 1e2, 1e4, 1e6, 1e8, 1e10], "it ends at a label");
        let short = Scale::log([20.0, 30.0].into_iter());
        assert_eq!(short.labelled(), [10.0, 100.0]);
        assert_eq!((short.at(10.0), short.at(100.0), short.at(0.0)), (0.0, 1.0, 0.0));
        assert_eq!(Scale::log([100.0].into_iter()).labelled(), [100.0, 1000.0]);
        assert_eq!(Scale::log_from_one(3_500.0).labelled(), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(Scale::log(std::iter::empty()), Scale::Log { low: 1.0, high: 10.0, every: 1 });
    }

    #[track_caller]
    fn texts(length_s: f64) -> Vec<String> {
        let labelled = Scale::exact(0.0, length_s).labelled().into_iter();
        let texts: Vec<_> = labelled.map(seconds(length_s)).collect();
        let is_apart = texts.windows(2).all(|pair| pair[0] != pair[1]);
        assert!(is_apart && texts.len() > 2, "{texts:?}");
        texts
    }

    #[test]
    fn labels_of_time_are_all_different() {
        assert_eq!(texts(20.0), ["0 s", "5 s", "10 s", "15 s", "20 s"]);
        assert_eq!(texts(0.084), ["0 ms", "20 ms", "40 ms", "60 ms", "80 ms"]);
        assert_eq!(texts(1.0)[1], "0.2 s");
        assert_eq!(texts(3.2), ["0 s", "1 s", "2 s", "3 s"]);
        assert_eq!(texts(0.003)[1], "1000 µs");
        for tenths in 1..100 {
            texts(f64::from(tenths) / 10.0);
            texts(f64::from(tenths) / 10_000.0);
        }
    }
}
