//! The charts of a run over time, all with the same axis.

use crate::archive::{Run, SeriesRow, Tally};
use crate::report::checks::LISTED_MAX;
use crate::report::words::{count, outside, round_time, time};

use super::chart::{Axes, Chart, Mark, Step};
use super::scale::Scale;

/// Colours of outcomes whose meaning is known; others take the rest in turn.
const KNOWN: [(&str, &str); 5] =
    [("queued", "c1"), ("won", "c2"), ("lost", "c3"), ("sold_out", "c4"), ("already_bought", "c5")];
const OTHERS: [&str; 3] = ["c6", "c7", "c8"];

/// Why a chart of a run without requests is empty.
const NOTHING: &str = "No request ended.";

/// The charts of rows of a run.
pub(super) fn charts(run: &Run, rows: &[SeriesRow]) -> Vec<Chart> {
    let time = Time { rows, to_s: rows.last().map_or(1.0, |row| row.to_s as f64) };
    vec![
        time.rates(&run.requests.by_outcome),
        time.errors(&run.requests.by_error),
        time.latencies(),
        time.stock(run.audit.stock_left_before),
        time.queue(),
        time.cpu(),
    ]
}

/// A band of a stack: its class, its name, and its count in a row.
type Layer<'a> = (&'static str, String, Box<dyn Fn(&SeriesRow) -> u64 + 'a>);

/// A line: its class, its name, and its value in a row.
type Line = (&'static str, &'static str, fn(&SeriesRow) -> Option<f64>);

struct Time<'a> {
    rows: &'a [SeriesRow],
    to_s: f64,
}

impl Time<'_> {
    fn rates(&self, outcomes: &Tally) -> Chart {
        let mut others = OTHERS.iter().cycle();
        let mut layers: Vec<Layer<'_>> = Vec::new();
        for (word, _) in outcomes.0.iter().take(LISTED_MAX).filter(|(_, count)| *count > 0) {
            let known = KNOWN.iter().find(|(known, _)| known == word).map(|(_, class)| *class);
            let class = known.or_else(|| others.next().copied()).unwrap_or("c8");
            layers.push((class, outside(word), Box::new(|row| row.by_outcome.get(word))));
        }
        layers.push(("ce", "errors".to_owned(), Box::new(|row| row.errors)));
        self.stack("Answers by outcome", layers)
    }

    fn errors(&self, errors: &Tally) -> Chart {
        let classes = ["ce", "c5", "c7", "c3", "c8", "c6"].iter().cycle();
        let words = errors.0.iter().take(LISTED_MAX).filter(|(_, count)| *count > 0);
        let layers = words.zip(classes).map(|((word, _), class)| {
            let count: Box<dyn Fn(&SeriesRow) -> u64> = Box::new(|row| row.by_error.get(word));
            (*class, outside(word), count)
        });
        let chart = self.stack("Errors by kind", layers.collect());
        let is_none = errors.0.iter().all(|(_, count)| *count == 0);
        Chart { empty: is_none.then_some("There were no errors."), ..chart }
    }

    /// Bands on top of each other, each as high as its count a second.
    fn stack(&self, title: &'static str, layers: Vec<Layer<'_>>) -> Chart {
        let mut tops: Vec<f64> = vec![0.0; self.rows.len()];
        let mut stacked = Vec::new();
        for (class, name, count) in layers {
            let mut steps = Vec::with_capacity(self.rows.len());
            for (row, top) in self.rows.iter().zip(&mut tops) {
                let low = *top;
                *top += row.per_second(count(row));
                steps.push((row.from_s as f64, row.to_s as f64, low, *top));
            }
            if steps.iter().any(|(_, _, low, high)| high > low) {
                stacked.push((class, name, steps));
            }
        }
        let axes = self.axes(Scale::counts(tops.iter().copied()));
        let marks = stacked.into_iter().map(|(class, name, steps)| Mark {
            class,
            is_band: true,
            name,
            path: axes.band(&steps),
        });
        let most = tops.iter().copied().fold(0.0, f64::max);
        self.chart(axes, (title, "requests per second"), marks.collect(), |value| {
            count(value.round() as i64)
        })
        .labelled(format!("at the most {} a second", count(most.round() as i64)))
    }

    fn latencies(&self) -> Chart {
        let some = |us: u64| (us > 0).then_some(us as f64);
        let lines: [Line; 4] = [
            ("c1", "service, median", |row| (row.p50_us > 0).then_some(row.p50_us as f64)),
            ("c2", "service, 99 %", |row| (row.p99_us > 0).then_some(row.p99_us as f64)),
            ("c5 dashed", "corrected, median", |row| {
                (row.corrected_p50_us > 0).then_some(row.corrected_p50_us as f64)
            }),
            ("c7 dashed", "corrected, 99 %", |row| {
                (row.corrected_p99_us > 0).then_some(row.corrected_p99_us as f64)
            }),
        ];
        let most = self.rows.iter().filter_map(|row| some(row.corrected_p99_us.max(row.p99_us)));
        let most = most.fold(0.0, f64::max);
        let about = ("Latency", "time, logarithmic");
        self.lines(about, &lines, |values| Scale::log(values), round_time)
            .labelled(format!("99 % at the most {}", time(most)))
    }

    /// The stock, from that before the run.
    fn stock(&self, before: i64) -> Chart {
        let values = self.rows.iter().map(|row| row.stock_left as f64);
        let axes = self.axes(Scale::counts(values.chain([before as f64])));
        let begin = (0.0, 0.0, Some(before as f64));
        let steps = self.rows.iter().map(|row| {
            let left = row.stock_left as f64;
            (row.from_s as f64, row.to_s as f64, Some(left))
        });
        let path = axes.line([begin].into_iter().chain(steps));
        let name = "stock left".to_owned();
        let mark = Mark { class: "c2", is_band: false, name, path };
        let last = self.rows.last().map_or(before, |row| row.stock_left);
        let about = ("Stock left", "units");
        let chart = self.chart(axes, about, vec![mark], |value| count(value.round() as i64));
        let label = format!("from {} to {}", count(before), count(last));
        Chart { is_low: true, ..chart.labelled(label) }
    }

    fn queue(&self) -> Chart {
        let lines: [Line; 1] = [("c1", "queued", |row| Some(row.queued as f64))];
        let most = self.rows.iter().map(|row| row.queued).max().unwrap_or(0);
        let about = ("Depth of the queue", "attempts that are accepted and not decided");
        let text = |value: f64| count(value.round() as i64);
        let chart = self.lines(about, &lines, |values| Scale::counts(values), text);
        Chart { is_low: true, ..chart.labelled(format!("at the most {}", count(most))) }
    }

    fn cpu(&self) -> Chart {
        let lines: [Line; 3] = [
            ("c1", "generator, of a core", |row| row.cpu_percent.generator),
            ("c5", "server, of a core", |row| row.cpu_percent.server),
            ("c4 dashed", "machine, of all cores", |row| row.cpu_percent.machine),
        ];
        let about = ("CPU", "percent");
        let text = |value: f64| format!("{value:.0} %");
        let chart = self.lines(about, &lines, |values| Scale::linear(values), text);
        let empty = chart.marks.is_empty().then_some("It was not recorded.");
        Chart { empty, ..chart.labelled("of generator, server and machine".to_owned()) }
    }

    fn lines(
        &self,
        about: (&'static str, &'static str),
        lines: &[Line],
        scale: impl Fn(&mut dyn Iterator<Item = f64>) -> Scale,
        text: impl Fn(f64) -> String,
    ) -> Chart {
        let mut values = lines.iter().flat_map(|(_, _, value)| self.rows.iter().filter_map(value));
        let axes = self.axes(scale(&mut values));
        let steps = |value: fn(&SeriesRow) -> Option<f64>| {
            let step =
                move |row: &SeriesRow| -> Step { (row.from_s as f64, row.to_s as f64, value(row)) };
            self.rows.iter().map(step)
        };
        let marks = lines.iter().map(|(class, name, value)| {
            let path = axes.line(steps(*value));
            Mark { class, is_band: false, name: (*name).to_owned(), path }
        });
        let drawn = marks.filter(|mark| !mark.path.is_empty()).collect();
        self.chart(axes, about, drawn, text)
    }

    fn axes(&self, y: Scale) -> Axes {
        Axes { x: Scale::exact(0.0, self.to_s), y }
    }

    fn chart(
        &self,
        axes: Axes,
        (title, unit): (&'static str, &'static str),
        marks: Vec<Mark>,
        text: impl Fn(f64) -> String,
    ) -> Chart {
        let empty = marks.is_empty().then_some(NOTHING);
        Chart {
            title,
            unit,
            label: format!("{title} ({unit}) from 0 to {} s", self.to_s),
            x: axes.x_ticks(|second| format!("{second:.0} s")),
            y: axes.y_ticks(text),
            marks,
            is_low: false,
            empty,
        }
    }
}

impl Chart {
    fn labelled(mut self, more: String) -> Self {
        self.label = format!("{}: {more}", self.label);
        self
    }
}
