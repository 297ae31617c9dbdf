//! Charts: lines and stacked bands in steps, over a time axis or another one. Here is the geometry;
//! the markup is in `templates/chart.html`.
//!
//! The drawing is stretched to the width of the page, and its labels are text of the page around
//! it, so that they have the same size on a telephone.

use std::fmt::Write;

use super::scale::{Scale, Tick};

/// The size of the drawing's coordinates.
pub(super) const WIDTH: f64 = 1000.0;
pub(super) const HEIGHT: f64 = 200.0;

/// A chart.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// The unit of its values, and what else is to be known of the axis.
    pub(super) unit: &'static str,
    /// What it shows, in words.
    pub(super) label: String,
    pub(super) x: Vec<Tick>,
    pub(super) y: Vec<Tick>,
    pub(super) marks: Vec<Mark>,
    /// Whether it is lower than others.
    pub(super) is_low: bool,
    /// Why there is nothing to see.
    pub(super) empty: Option<&'static str>,
}

/// A line or a band.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// The class of its colour.
    pub(super) class: &'static str,
    pub(super) is_band: bool,
    pub(super) name: String,
    /// The data of an SVG path.
    pub(super) path: String,
}

/// The two axes of a chart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    pub(super) x: Scale,
    pub(super) y: Scale,
}

/// A value from one place of the horizontal axis to another; `None` draws nothing.
pub(super) type Step = (f64, f64, Option<f64>);

impl Axes {
    pub(super) fn x_ticks(&self, text: impl Fn(f64) -> String) -> Vec<Tick> {
        ticks(self.x, WIDTH, |at| at, text)
    }

    pub(super) fn y_ticks(&self, text: impl Fn(f64) -> String) -> Vec<Tick> {
        ticks(self.y, HEIGHT, |at| 1.0 - at, text)
    }

    /// A line in steps.
    pub(super) fn line(&self, steps: impl Iterator<Item = Step>) -> String {
        let mut path = String::new();
        let mut end = None;
        for (from, to, value) in steps {
            let Some(value) = value else {
                end = None;
                continue;
            };
            let (from, to, y) = (self.across(from), self.across(to), self.down(value));
            let _ = match end {
                Some(end) if end == from => write!(path, "V{y}H{to}"),
                _ => write!(path, "M{from} {y}H{to}"),
            };
            end = Some(to);
        }
        path
    }

    /// A line through points.
    pub(super) fn through(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut path = String::new();
        for (x, y) in points {
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{} {}", self.across(x), self.down(y));
        }
        path
    }

    /// The area between two lines in steps, given as (from, to, low, high) of each step.
    pub(super) fn band(&self, steps: &[(f64, f64, f64, f64)]) -> String {
        let mut path = String::new();
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return path };
        let _ = write!(path, "M{} {}", self.across(first.0), self.down(first.2));
        for (from, to, _, high) in steps {
            let _ = match *from == first.0 {
                true => write!(path, "V{}H{}", self.down(*high), self.across(*to)),
                false => {
                    let (from, to) = (self.across(*from), self.across(*to));
                    write!(path, "H{from}V{}H{to}", self.down(*high))
                }
            };
        }
        let _ = write!(path, "V{}", self.down(last.2));
        for (from, _, low, _) in steps.iter().rev() {
            let _ = write!(path, "V{}H{}", self.down(*low), self.across(*from));
        }
        path.push('Z');
        path
    }

    fn across(&self, value: f64) -> Short {
        Short((WIDTH * self.x.at(value) * 10.0).round() as i64)
    }

    fn down(&self, value: f64) -> Short {
        Short((HEIGHT * (1.0 - self.y.at(value)) * 10.0).round() as i64)
    }
}

/// A coordinate in tenths, written as short as possible: charts have thousands of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short(i64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            tenth => write!(f, "{}.{tenth}", self.0 / 10),
        }
    }
}

fn ticks(
    scale: Scale,
    length: f64,
    place: impl Fn(f64) -> f64,
    text: impl Fn(f64) -> String,
) -> Vec<Tick> {
    let tick = |value: f64| {
        let at = place(scale.at(value));
        Tick {
            at: format!("{:.2}", 100.0 * at),
            line: Short((length * at * 10.0).round() as i64).to_string(),
            text: text(value),
        }
    };
    scale.labelled().into_iter().map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> Axes {
        Axes { x: Scale::exact(0.0, 4.0), y: Scale::linear([10.0].into_iter()) }
    }

    #[test]
    fn line_has_a_step_for_each_value_and_a_gap_for_none() {
        let steps = [(0.0, 1.0, Some(10.0)), (1.0, 2.0, Some(0.0)), (2.0, 3.0, None)];
        let again = [(3.0, 4.0, Some(5.5))];
        let path = axes().line(steps.into_iter().chain(again));
        assert_eq!(path, "M0 0H250V200H500M750 90H1000");
        assert_eq!(axes().line(std::iter::empty()), "");
    }

    #[test]
    fn band_is_closed_between_its_two_lines() {
        let path = axes().band(&[(0.0, 2.0, 0.0, 5.0), (2.0, 4.0, 2.0, 10.0)]);
        assert_eq!(path, "M0 200V100H500H500V0H1000V160V160H500V200H0Z");
        assert_eq!(axes().band(&[]), "");
    }

    #[test]
    fn labels_are_placed_from_the_upper_left_corner() {
        let ticks = axes().y_ticks(|value| format!("{value}"));
        let places: Vec<_> = ticks.iter().map(|tick| (&*tick.text, &*tick.line)).collect();
        assert_eq!(places[0], ("0", "200"));
        assert_eq!(places.last(), Some(&("10", "0")));
    }
}
