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

/// Characters of all labels of a horizontal axis that fit beside each other on a telephone.
const NARROW_CHARS_MAX: usize = 36;

/// Where the room begins that the name of an axis's end needs, from 0 to 1.
const END_ROOM: f64 = 0.93;

/// A chart.
#[derive(Debug, Clone)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// The unit of its values, and what else is to be known of the axis.
    pub(super) unit: &'static str,
    /// Its main figures, in words.
    pub(super) label: String,
    /// What has to be known to read it, above it.
    pub(super) note: Option<String>,
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

impl Chart {
    /// The chart with more of its figures in words.
    pub(super) fn labelled(mut self, more: String) -> Self {
        self.label = format!("{}: {more}", self.label);
        self
    }
}

impl Axes {
    pub(super) fn x_ticks(&self, text: impl Fn(f64) -> String) -> Vec<Tick> {
        spare(ticks(self.x, WIDTH, |at| at, text))
    }

    /// The same with a name for the end of the axis, in place of what would collide with it.
    pub(super) fn x_ticks_to(&self, end: &str, text: impl Fn(f64) -> String) -> Vec<Tick> {
        let (Scale::Linear { high, .. } | Scale::Log { high, .. }) = self.x;
        let mut all = ticks(self.x, WIDTH, |at| at, text);
        all.truncate(self.x.labelled().partition_point(|value| self.x.at(*value) < END_ROOM));
        let end = end.to_owned();
        all.push(tick(self.x, WIDTH, |at| at, (high, end)));
        spare(all)
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

    /// The whole height of the drawing from one place of the horizontal axis to another.
    pub(super) fn shade(&self, from: f64, to: f64) -> String {
        let (from, to) = (self.across(from), self.across(to));
        format!("M{from} 0H{to}V{HEIGHT}H{from}Z")
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
    let texts = scale.labelled().into_iter().map(|value| (value, text(value)));
    texts.map(|labelled| tick(scale, length, &place, labelled)).collect()
}

/// A label, and the value at which it is.
fn tick(
    scale: Scale,
    length: f64,
    place: impl Fn(f64) -> f64,
    (value, text): (f64, String),
) -> Tick {
    let at = place(scale.at(value));
    Tick {
        at: format!("{:.2}", 100.0 * at),
        line: Short((length * at * 10.0).round() as i64).to_string(),
        text,
        is_spare: false,
    }
}

/// Marks those labels as spare that do not fit beside each other on a telephone. The first, the
/// last and every second one between them are kept, evenly as far as their number allows.
fn spare(mut ticks: Vec<Tick>) -> Vec<Tick> {
    let (count, widest) = (ticks.len(), ticks.iter().map(|tick| tick.text.chars().count()).max());
    if count * widest.unwrap_or(0) <= NARROW_CHARS_MAX {
        return ticks;
    }
    let kept = count.div_ceil(2).max(2);
    let is_kept = |at: usize| (0..kept).any(|one| one * (count - 1) / (kept - 1) == at);
    for (at, tick) in ticks.iter_mut().enumerate() {
        tick.is_spare = !is_kept(at);
    }
    ticks
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

    #[test]
    fn first_and_last_label_stay_on_a_telephone() {
        let kept = |count: usize, text: &str| {
            let tick = |at: usize| Tick {
                at: at.to_string(),
                line: String::new(),
                text: text.to_owned(),
                is_spare: false,
            };
            let ticks = spare((0..count).map(tick).collect()).into_iter();
            let kept = ticks.filter(|tick| !tick.is_spare).map(|tick| tick.at);
            kept.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(kept(6, "100 s"), "0 1 2 3 4 5", "they fit");
        let kept = [2, 3, 4, 5, 6, 7].map(|count| kept(count, "99.999 999 999 999 %"));
        assert_eq!(kept, ["0 1", "0 2", "0 3", "0 2 4", "0 2 5", "0 2 4 6"]);
        assert_eq!(spare(Vec::new()), []);
    }
}
