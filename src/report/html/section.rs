//! The part of a page that is about one run.

use crate::archive::{Run, SeriesRow};
use crate::report::checks::counted;
use crate::report::titled::Titled;
use crate::report::words::{count, cpu, missing, time};

use super::chart::Chart;
use super::figures::{self, Table};
use super::head::Head;
use super::invariants::{InvariantView, invariants};
use super::plan::Plan;
use super::{curve, over_time};

/// Every how many-th point of the curve is in its table: a row for each halving.
const CURVE_EVERY: usize = 4;

/// All that is shown of a run. All texts are printable; the template escapes them.
pub(super) struct Section {
    /// The number of the run in the page, from 1.
    pub(super) number: usize,
    pub(super) head: Head,
    pub(super) charts: Vec<Chart>,
    pub(super) seconds: Captioned,
    /// Of how many recorded rows each row of the charts was made.
    pub(super) is_merged: bool,
    pub(super) curve: Chart,
    pub(super) percentiles: Captioned,
    pub(super) times: Captioned,
    pub(super) counts: Captioned,
    pub(super) resources: Captioned,
    pub(super) invariants: Vec<InvariantView>,
    pub(super) health: Captioned,
    pub(super) findings: Vec<String>,
    pub(super) plan: Plan,
}

/// A table and its name, for those who cannot see what is around it.
pub(super) struct Captioned {
    pub(super) caption: &'static str,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Captioned {
    fn new(caption: &'static str, Table { head, rows }: Table) -> Self {
        Self { caption, head, rows }
    }
}

impl Section {
    pub(super) fn new(number: usize, titled: &Titled<'_>, rows_max: usize) -> Self {
        let run = titled.run;
        let rows = run.series_within(rows_max);
        Self {
            number,
            head: Head::new(titled),
            charts: over_time::charts(run, &rows),
            seconds: Captioned::new("Figures over time", seconds(run, &rows)),
            // The last row alone is merged where the run ends soon after it begins.
            is_merged: rows.len() + 1 < run.series.len(),
            curve: curve::chart(&run.latency_curve),
            percentiles: Captioned::new("Latency by percentile", percentiles(run)),
            times: Captioned::new("All times", figures::times(run)),
            counts: Captioned::new("Answers by outcome and error", figures::counts(run)),
            resources: Captioned::new("CPU and memory", figures::resources(run)),
            invariants: invariants(run),
            health: Captioned::new("Health of the load generator", figures::health(run)),
            findings: figures::findings(run),
            plan: Plan::new(run),
        }
    }
}

/// The figures of the charts over time.
fn seconds(run: &Run, rows: &[SeriesRow]) -> Table {
    let ended_s = run.ended_s();
    let head = [
        "Seconds",
        "Sent",
        "Ended",
        "Errors",
        "Answers",
        "p50",
        "p99",
        "Corrected p50",
        "p99",
        "Stock left",
        "Queued",
        "CPU: generator",
        "server",
        "machine",
    ];
    let some = |us: u64| if us > 0 { time(us as f64) } else { missing() };
    let row = |row: &SeriesRow| {
        let words = counted(&row.by_outcome).chain(counted(&row.by_error));
        let words: Vec<_> = words.map(|(word, n)| format!("{word} {}", count(n))).collect();
        let seconds = match row.to_s {
            to_s if to_s as f64 <= ended_s => format!("{}–{to_s}", row.from_s),
            _ => format!("{}–{}", row.from_s, (1e3 * ended_s).round() / 1e3),
        };
        vec![
            seconds,
            count(row.sent),
            count(row.ended),
            count(row.errors),
            words.join(", "),
            some(row.p50_us),
            some(row.p99_us),
            some(row.corrected_p50_us),
            some(row.corrected_p99_us),
            count(row.stock_left),
            count(row.queued),
            cpu(row.cpu_percent.generator),
            cpu(row.cpu_percent.server),
            cpu(row.cpu_percent.machine),
        ]
    };
    Table { head: head.map(str::to_owned).to_vec(), rows: rows.iter().map(row).collect() }
}

/// The figures of the curve, for each halving of the distance to 100 %.
fn percentiles(run: &Run) -> Table {
    let points = &run.latency_curve;
    let head = ["Percentile", "One request of", "Service", "Corrected"];
    let last = points.len().saturating_sub(1);
    let shown = points.iter().enumerate().take(100 * CURVE_EVERY);
    let shown = shown.filter(|(at, _)| at % CURVE_EVERY == 0 || *at == last);
    let rows = shown.map(|(_, point)| {
        vec![
            format!("{:.4} %", point.percent),
            format!("{:.0}", point.one_in),
            time(point.service_us as f64),
            time(point.corrected_us as f64),
        ]
    });
    Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() }
}
