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
use super::{curve, faults, over_time};

/// Every how many-th point of the curve is in its table: a row for each halving.
const CURVE_EVERY: usize = 4;

/// How much of a run is shown.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Rows of the charts.
    pub(super) rows: usize,
    /// Witnesses of all broken invariants.
    pub(super) witnesses: usize,
}

/// All that is shown of a run. All texts are printable; the template escapes them.
pub(super) struct Section {
    /// The number of the run in the page, from 1.
    pub(super) number: usize,
    pub(super) head: Head,
    pub(super) charts: Vec<Chart>,
    pub(super) seconds: Table,
    pub(super) faults: Table,
    /// Of how many recorded rows each row of the charts was made.
    pub(super) is_merged: bool,
    pub(super) curve: Chart,
    pub(super) percentiles: Table,
    pub(super) times: Table,
    pub(super) counts: Table,
    pub(super) remarks: Table,
    pub(super) resources: Table,
    /// Why the server is not measured there.
    pub(super) no_server: Option<&'static str>,
    pub(super) invariants: Vec<InvariantView>,
    pub(super) health: Table,
    pub(super) findings: Vec<String>,
    pub(super) plan: Plan,
}

impl Section {
    pub(super) fn new(number: usize, titled: &Titled<'_>, limits: Limits) -> Self {
        let run = titled.run;
        let rows = run.series_within(limits.rows);
        Self {
            number,
            head: Head::new(titled),
            charts: over_time::charts(run, &rows),
            seconds: seconds(run, &rows),
            faults: faults::table(run),
            // The last row alone is merged where the run ends soon after it begins.
            is_merged: rows.len() + 1 < run.series_of_load().len(),
            curve: curve::chart(&run.latency_curve),
            percentiles: percentiles(run),
            times: figures::times(run),
            counts: figures::counts(run),
            remarks: figures::remarks(run),
            resources: figures::resources(run),
            no_server: figures::why_no_server(run),
            invariants: invariants(run, limits.witnesses),
            health: figures::health(run),
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
            row.stock_left.map_or_else(missing, count),
            row.queued.map_or_else(missing, count),
            cpu(row.cpu_percent.generator),
            cpu(row.cpu_percent.server),
            cpu(row.cpu_percent.machine),
        ]
    };
    Table::new("Figures over time", &head, rows.iter().map(row).collect())
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
    Table::new("Latency by percentile", &head, rows.collect())
}
