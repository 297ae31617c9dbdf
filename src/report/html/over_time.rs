//! The charts of a run over time, all with the same axis.

use crate::archive::{Run, SeriesRow};
use crate::report::words::{count, round_time, time};

use super::bands::{Band, error_bands, outcome_bands};
use super::chart::{Axes, Chart, Mark, Step};
use super::faults::Faults;
use super::scale::{Scale, seconds};

/// Why a chart of a run without requests is empty.
const NOTHING: &str = "No request ended.";

/// Why a chart of the sale is empty.
const NOT_READ: &str = "It is not read during the run.";

/// The highest CPU share, in percent, that is one core: ticks of the kernel that end in a second
/// may be a little more than it.
const ONE_CORE_MAX: f64 = 105.0;

/// The charts of rows of a run.
pub(super) fn charts(run: &Run, rows: &[SeriesRow]) -> Vec<Chart> {
    let warmup_s = run.plan.plan.warmup.as_secs_f64();
    let time = Time { rows, warmup_s, faults: Faults::of(run), end_s: run.ended_s() };
    let mut charts = vec![
        time.rates(outcome_bands(&run.requests.by_outcome)),
        time.errors(error_bands(&run.requests.by_error)),
        time.latencies(),
        time.stock(run.audit.stock_left_before),
        time.queue(),
        time.cpu(),
    ];
    if let Some(first) = charts.first_mut() {
        first.note = time.note();
    }
    charts
}

/// A line: its class, its name, and its value in a row.
type Line = (&'static str, &'static str, fn(&SeriesRow) -> Option<f64>);

struct Time<'a> {
    rows: &'a [SeriesRow],
    /// The end of the warm-up; 0 without one.
    warmup_s: f64,
    faults: Faults,
    /// The end of the run, which may be within the last row.
    end_s: f64,
}

impl Time<'_> {
    /// What is to be known of a run of few rows.
    fn note(&self) -> Option<String> {
        let took = time(1e6 * self.end_s);
        let is_short = self.end_s < 2.0 && !self.rows.is_empty();
        is_short.then(|| {
            format!(
                "A row of these charts is a second, and the run took only {took}: they cannot show \
                 how it went within that time."
            )
        })
    }

    /// The part of a row within the run and after the warm-up, whose requests are excluded; `None`
    /// if there is none.
    fn measured(&self, row: &SeriesRow) -> Option<(f64, f64)> {
        let (from, to) = ((row.from_s as f64).max(self.warmup_s), self.end_of(row));
        (to > from).then_some((from, to))
    }

    /// The end of a row, within the run.
    fn end_of(&self, row: &SeriesRow) -> f64 {
        (row.to_s as f64).min(self.end_s)
    }

    fn rates(&self, bands: Vec<Band<'_>>) -> Chart {
        self.stack("Answers by outcome", bands)
    }

    fn errors(&self, bands: Vec<Band<'_>>) -> Chart {
        let is_none = bands.is_empty();
        let chart = self.stack("Errors by kind", bands);
        let empty = if is_none { Some("There were no errors.") } else { chart.empty };
        Chart { empty, ..chart }
    }

    /// Bands on top of each other, each as high as its count a second.
    fn stack(&self, title: &'static str, bands: Vec<Band<'_>>) -> Chart {
        let rows = self.rows.iter().filter_map(|row| Some((row, self.measured(row)?)));
        let rows: Vec<_> = rows.collect();
        let mut tops: Vec<f64> = vec![0.0; rows.len()];
        let mut stacked = Vec::new();
        for Band { class, name, count } in bands {
            let mut steps = Vec::with_capacity(rows.len());
            for ((row, (from, to)), top) in rows.iter().zip(&mut tops) {
                let low = *top;
                *top += count(row) as f64 / (to - from);
                steps.push((*from, *to, low, *top));
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
        let about = (title, "requests per second");
        self.chart(axes, about, marks.collect(), |value| count(value.round() as i64))
            .labelled(format!("at the most {} a second", count(most.round() as i64)))
    }

    fn latencies(&self) -> Chart {
        fn some(us: u64) -> Option<f64> {
            (us > 0).then_some(us as f64)
        }
        fn of_many(row: &SeriesRow, us: u64) -> Option<f64> {
            some(us).filter(|_| !row.is_sparse())
        }
        let lines: [Line; 4] = [
            ("c1", "service, median", |row| some(row.p50_us)),
            ("c2", "service, 99 %", |row| of_many(row, row.p99_us)),
            ("c5 dashed", "corrected, median", |row| some(row.corrected_p50_us)),
            ("c7 dashed", "corrected, 99 %", |row| of_many(row, row.corrected_p99_us)),
        ];
        let steps = |row: &SeriesRow, value| {
            let (from, to) = self.measured(row)?;
            Some((from, to, value))
        };
        let most = self.rows.iter().filter_map(|row| {
            let most = of_many(row, row.corrected_p99_us.max(row.p99_us));
            most.or(some(row.corrected_p50_us.max(row.p50_us)))
        });
        let most = most.fold(0.0, f64::max);
        let about = ("Latency", "time, logarithmic; 99 % only where 20 requests or more ended");
        self.lines(about, &lines, |values| Scale::log(values), steps, round_time)
            .labelled(format!("at the most {}", time(most)))
    }

    /// The stock, from that before the run.
    fn stock(&self, before: i64) -> Chart {
        let left = |row: &SeriesRow| row.stock_left.map(|left| left as f64);
        let values = self.rows.iter().filter_map(left).chain([before as f64]);
        let axes = self.axes(Scale::counts(values));
        let ends = self.rows.iter().filter_map(|row| Some((self.end_of(row), left(row)?)));
        let path = axes.through([(0.0, before as f64)].into_iter().chain(ends));
        // The last one is of after the run.
        let during = self.rows.len().max(2) - 1;
        let is_read = self.rows.iter().take(during).any(|row| row.stock_left.is_some());
        let mark = Mark { class: "c2", is_band: false, name: "stock left".to_owned(), path };
        let marks = if is_read { vec![mark] } else { Vec::new() };
        let last = self.rows.iter().rev().find_map(|row| row.stock_left).unwrap_or(before);
        let about = ("Stock left", "units, as last read by the end of each second");
        let chart = self.chart(axes, about, marks, |value| count(value.round() as i64));
        let label = format!("from {} to {}", count(before), count(last));
        let empty = (!is_read).then_some(NOT_READ);
        Chart { is_low: true, empty, ..chart.labelled(label) }
    }

    /// The attempts that wait for a decision. Only their number at the end of each second is
    /// known, so there may have been more between.
    fn queue(&self) -> Chart {
        let queued = |row: &SeriesRow| row.queued.map(|queued| queued as f64);
        let axes = self.axes(Scale::counts(self.rows.iter().filter_map(queued)));
        let ends = self.rows.iter().filter_map(|row| Some((self.end_of(row), queued(row)?)));
        let path = axes.through(ends);
        let mark = Mark { class: "c1", is_band: false, name: "queued".to_owned(), path };
        let about = (
            "Depth of the queue",
            "attempts that the server shows as waiting for a decision, at the end of each second",
        );
        let chart = self.chart(axes, about, vec![mark], |value| count(value.round() as i64));
        let empty = match self.rows {
            [] => Some(NOTHING),
            rows if rows.iter().all(|row| row.queued.is_none()) => Some(NOT_READ),
            [_] => Some("It is read at the end of each second, and this run has one row only."),
            _ => None,
        };
        let most = self.rows.iter().filter_map(|row| row.queued).max().unwrap_or(0);
        let label = format!("the highest of these readings is {}", count(most));
        Chart { is_low: true, empty, ..chart.labelled(label) }
    }

    fn cpu(&self) -> Chart {
        let lines: [Line; 3] = [
            ("c1", "generator, of a core", |row| row.cpu_percent.generator),
            ("c5", "server, of a core", |row| row.cpu_percent.server),
            ("c4 dashed", "machine, of all cores", |row| row.cpu_percent.machine),
        ];
        let steps = |row: &SeriesRow, value| Some((row.from_s as f64, self.end_of(row), value));
        let scale = |values: &mut dyn Iterator<Item = f64>| {
            let most = values.fold(0.0, f64::max);
            Scale::linear([if most > ONE_CORE_MAX { most } else { 100.0 }].into_iter())
        };
        let about = ("CPU", "percent, mean of each second");
        let chart = self.lines(about, &lines, scale, steps, |value| format!("{value:.0} %"));
        let is_known = |row: &SeriesRow| lines.iter().any(|(_, _, value)| value(row).is_some());
        let empty = match self.rows.iter().any(is_known) {
            true => None,
            false => Some("It was not recorded, or the run was too short to measure it."),
        };
        Chart { empty, ..chart.labelled("of generator, server and machine".to_owned()) }
    }

    fn lines(
        &self,
        about: (&'static str, &'static str),
        lines: &[Line],
        scale: impl Fn(&mut dyn Iterator<Item = f64>) -> Scale,
        step: impl Fn(&SeriesRow, Option<f64>) -> Option<Step>,
        text: impl Fn(f64) -> String,
    ) -> Chart {
        let mut values = lines.iter().flat_map(|(_, _, value)| self.rows.iter().filter_map(value));
        let axes = self.axes(scale(&mut values));
        let marks = lines.iter().map(|(class, name, value)| {
            let path = axes.line(self.rows.iter().filter_map(|row| step(row, value(row))));
            Mark { class, is_band: false, name: (*name).to_owned(), path }
        });
        let drawn = marks.filter(|mark| !mark.path.is_empty()).collect();
        self.chart(axes, about, drawn, text)
    }

    fn axes(&self, y: Scale) -> Axes {
        Axes { x: Scale::exact(0.0, self.end_s), y }
    }

    fn chart(
        &self,
        axes: Axes,
        (title, unit): (&'static str, &'static str),
        mut marks: Vec<Mark>,
        text: impl Fn(f64) -> String,
    ) -> Chart {
        let empty = marks.is_empty().then_some(NOTHING);
        if self.warmup_s > 0.0 {
            let path = axes.shade(0.0, self.warmup_s);
            let name = "warm-up: its requests are excluded".to_owned();
            marks.insert(0, Mark { class: "warmup", is_band: true, name, path });
        }
        if empty.is_none() {
            // Over the others, which it lets through: bands would hide it.
            marks.extend(self.faults.mark(&axes, self.end_s));
        }
        Chart {
            title,
            unit,
            label: format!("{title} ({unit}) from 0 to {}", time(1e6 * self.end_s)),
            note: None,
            x: axes.x_ticks(seconds(self.end_s)),
            y: axes.y_ticks(text),
            marks,
            is_low: false,
            empty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{CpuRow, Tally};

    fn row(second: u64, ended: u64, stock_left: i64, queued: u64) -> SeriesRow {
        SeriesRow {
            from_s: second,
            to_s: second + 1,
            sent: ended,
            ended,
            errors: 0,
            by_outcome: Tally(vec![("queued".to_owned(), ended)]),
            by_error: Tally::default(),
            p50_us: 1_000,
            p99_us: 10_000,
            corrected_p50_us: 1_000,
            corrected_p99_us: 10_000,
            stock_left: Some(stock_left),
            queued: Some(queued),
            faults: Vec::new(),
            cpu_percent: CpuRow::default(),
        }
    }

    fn time(rows: &[SeriesRow], warmup_s: f64, end_s: f64) -> Time<'_> {
        Time { rows, warmup_s, faults: Faults::default(), end_s }
    }

    #[test]
    fn rate_of_the_last_row_is_of_its_real_length() {
        let rows = [row(0, 100, 0, 0), row(1, 50, 0, 0)];
        let counts = Tally(vec![("queued".to_owned(), 150)]);
        let chart = time(&rows, 0.0, 1.5).rates(outcome_bands(&counts));
        assert!(chart.label.ends_with("at the most 100 a second"), "{}", chart.label);
        assert_eq!(chart.marks[0].path, "M0 200V0H666.7H666.7V0H1000V200V200H666.7V200H0Z");
    }

    #[test]
    fn rate_after_the_warm_up_is_not_of_the_warm_up() {
        let rows = [row(0, 0, 0, 0), row(1, 50, 0, 0), row(2, 100, 0, 0)];
        let counts = Tally(vec![("queued".to_owned(), 150)]);
        let chart = time(&rows, 1.5, 3.0).rates(outcome_bands(&counts));
        assert!(chart.label.ends_with("at the most 100 a second"), "{}", chart.label);
        assert_eq!((chart.marks[0].class, &*chart.marks[0].path), ("warmup", "M0 0H500V200H0Z"));
        assert!(chart.marks[1].path.starts_with("M500 200V0H666.7"), "{}", chart.marks[1].path);
    }

    #[test]
    fn stock_and_queue_are_points_at_the_ends_of_rows() {
        let rows = [row(0, 1, 5, 8), row(1, 1, 0, 4)];
        let stock = time(&rows, 0.0, 1.6).stock(10);
        assert_eq!(stock.marks[0].path, "M0 0L625 100L1000 200");
        let queue = time(&rows, 0.0, 1.6).queue();
        assert_eq!(queue.marks[0].path, "M625 0L1000 100");
        assert!(queue.label.ends_with("the highest of these readings is 8"), "{}", queue.label);
        assert!(!queue.label.contains("at the most"), "{}", queue.label);
        assert_eq!(queue.empty, None);
        assert!(time(&rows[..1], 0.0, 0.1).queue().empty.is_some(), "it was read after the run");
    }

    #[test]
    fn p99_of_few_requests_is_not_drawn() {
        let rows = [row(0, 20, 0, 0), row(1, 19, 0, 0)];
        let chart = time(&rows, 0.0, 2.0).latencies();
        let ends = |at: usize| chart.marks[at].path.ends_with("H1000");
        assert_eq!([0, 1, 2, 3].map(ends), [true, false, true, false], "{:?}", chart.marks);
    }

    #[test]
    fn axis_of_cpu_ends_at_one_core_unless_more_are_used() {
        let of = |server| {
            let cpu_percent = CpuRow { server: Some(server), ..CpuRow::default() };
            let rows = [SeriesRow { cpu_percent, ..row(0, 1, 0, 0) }];
            time(&rows, 0.0, 1.0).cpu().y.last().unwrap().text.clone()
        };
        assert_eq!([3.0, 100.7, 180.0].map(of), ["100 %", "100 %", "200 %"]);
        assert!(time(&[row(0, 1, 0, 0)], 0.5, 1.0).cpu().empty.is_some());
    }

    #[test]
    fn short_run_says_that_rows_are_seconds() {
        let rows = [row(0, 1, 0, 0)];
        let note = time(&rows, 0.0, 0.0837).note().unwrap();
        assert!(note.contains("the run took only 83.7\u{a0}ms"), "{note}");
        assert_eq!(time(&rows, 0.0, 2.0).note(), None);
    }
}
