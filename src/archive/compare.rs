//! Runs side by side: their figures, and how each differs from the first run.

use crate::judge::Verdict;
use crate::stats::Quantiles;

use super::run::Run;

/// A smaller relative change is not marked: figures of the same build differ by as much from run to
/// run on a shared machine.
const MARKED_FROM: f64 = 0.1;

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// A number of things.
    Count,
    /// A number each second.
    PerSecond,
    /// A share, in percent.
    Percent,
    /// A time, in microseconds.
    Micros,
    /// An amount of memory, in bytes.
    Bytes,
}

/// What a difference from the first run means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The figure is the same, or nearly so, or neither better nor worse.
    Neutral,
    /// The figure is better.
    Better,
    /// The figure is worse.
    Worse,
}

/// A figure of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// The figure; `None` if it was not measured.
    pub value: Option<f64>,
    /// Its relative difference from the first run: 0.1 is a tenth more. `None` for the first run,
    /// and where either figure is missing or that of the first run is 0.
    pub relative: Option<f64>,
    /// What the difference means.
    pub change: Change,
}

/// A figure of all runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedFigure {
    /// What it is.
    pub name: &'static str,
    /// How it is written.
    pub measure: Measure,
    /// The figure of each run, in their order.
    pub runs: Vec<Compared>,
}

/// Whether less of something is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Less,
    Either,
}

type Figure = (&'static str, Measure, Wanted, fn(&Run) -> Option<f64>);

/// The figures that are compared.
const FIGURES: &[Figure] = &[
    ("requests", Measure::Count, Wanted::Either, |run| Some(run.requests.total as f64)),
    ("requests per second", Measure::PerSecond, Wanted::Either, |run| {
        Some(run.requests.per_second)
    }),
    ("errors", Measure::Percent, Wanted::Less, |run| Some(100.0 * run.requests.error_rate)),
    ("service, median", Measure::Micros, Wanted::Less, |run| time(run.latency_us, |t| t.p50)),
    ("service, 99 %", Measure::Micros, Wanted::Less, |run| time(run.latency_us, |t| t.p99)),
    ("service, 99.9 %", Measure::Micros, Wanted::Less, |run| time(run.latency_us, |t| t.p999)),
    ("corrected, 99 %", Measure::Micros, Wanted::Less, |run| {
        time(run.latency_corrected_us, |t| t.p99)
    }),
    ("accepted, median", Measure::Micros, Wanted::Less, |run| {
        time(run.latency_accepted_us?, |t| t.p50)
    }),
    ("accepted, 99 %", Measure::Micros, Wanted::Less, |run| {
        time(run.latency_accepted_us?, |t| t.p99)
    }),
    ("refused, median", Measure::Micros, Wanted::Less, |run| {
        time(run.latency_refused_us?, |t| t.p50)
    }),
    ("refused, 99 %", Measure::Micros, Wanted::Less, |run| {
        time(run.latency_refused_us?, |t| t.p99)
    }),
    ("failed, median", Measure::Micros, Wanted::Less, |run| {
        time(run.latency_failed_us?, |t| t.p50)
    }),
    ("settled, 99 %", Measure::Micros, Wanted::Less, |run| time(run.settle_us, |t| t.p99)),
    ("lag of the generator, 99 %", Measure::Micros, Wanted::Less, |run| {
        time(run.generator.lag_us, |t| t.p99)
    }),
    ("server, CPU per request", Measure::Micros, Wanted::Less, |run| run.server.cpu_us_per_request),
    ("server, memory at the most", Measure::Bytes, Wanted::Less, |run| {
        run.server.rss_bytes_max.map(|bytes| bytes as f64)
    }),
    ("stock", Measure::Count, Wanted::Either, |run| Some(run.audit.audit.stock? as f64)),
    ("orders", Measure::Count, Wanted::Either, |run| Some(run.audit.audit.orders? as f64)),
    ("oversold", Measure::Count, Wanted::Less, |run| {
        let is_known = matches!(run.audit.audit.verdict, Verdict::Pass | Verdict::Fail);
        is_known.then_some(run.audit.audit.oversold as f64)
    }),
    ("invariants broken", Measure::Count, Wanted::Less, |run| {
        let is_known = matches!(run.audit.audit.verdict, Verdict::Pass | Verdict::Fail);
        is_known.then_some(run.audit.audit.violations.len() as f64)
    }),
];

fn time(times: Quantiles, of: fn(&Quantiles) -> u64) -> Option<f64> {
    (times.count > 0).then(|| of(&times) as f64)
}

/// Compares runs with the first of them. A figure that no run has is left out. An invalid run is
/// neither better nor worse.
pub fn compare(runs: &[&Run]) -> Vec<ComparedFigure> {
    let compared = FIGURES.iter().map(|&(name, measure, wanted, figure)| {
        let values: Vec<_> = runs.iter().map(|run| figure(run)).collect();
        let first = values.first().copied().flatten();
        let of_run = |(at, value): (usize, &Option<f64>)| {
            let baseline = first.filter(|_| at > 0);
            let are_valid = [0, at].into_iter().all(|at| runs[at].generator.valid);
            Compared {
                value: *value,
                relative: relative(baseline, *value),
                change: match are_valid {
                    true => change(wanted, baseline, *value),
                    false => Change::Neutral,
                },
            }
        };
        ComparedFigure { name, measure, runs: values.iter().enumerate().map(of_run).collect() }
    });
    compared.filter(|figure| figure.runs.iter().any(|run| run.value.is_some())).collect()
}

/// The flags of each run that not all of them have: what differs in their plans.
pub fn plan_differences(runs: &[&Run]) -> Vec<Vec<String>> {
    let of_run = |run: &&Run| {
        let of_server = run.plan.spawn.iter().flatten().cloned();
        run.plan.flags(&run.sut).into_iter().chain(of_server).collect()
    };
    let flags: Vec<Vec<String>> = runs.iter().map(of_run).collect();
    let is_common = |flag: &String| flags.iter().all(|other| other.contains(flag));
    let differing = |flags: &Vec<String>| {
        flags.iter().filter(|flag| !is_common(flag)).cloned().collect::<Vec<_>>()
    };
    flags.iter().map(differing).collect()
}

fn relative(baseline: Option<f64>, value: Option<f64>) -> Option<f64> {
    let (baseline, value) = (baseline.filter(|baseline| *baseline != 0.0)?, value?);
    Some(value / baseline - 1.0)
}

fn change(wanted: Wanted, baseline: Option<f64>, value: Option<f64>) -> Change {
    let (Some(baseline), Some(value)) = (baseline, value) else { return Change::Neutral };
    let is_small = (value - baseline).abs() < MARKED_FROM * baseline.abs();
    match (wanted, value > baseline) {
        _ if is_small || value == baseline => Change::Neutral,
        (Wanted::Either, _) => Change::Neutral,
        (Wanted::Less, true) => Change::Worse,
        (Wanted::Less, false) => Change::Better,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_neutral_changes_are_not_marked() {
        let less = |from, to| change(Wanted::Less, Some(from), Some(to));
        assert_eq!(less(100.0, 109.0), Change::Neutral);
        assert_eq!(less(100.0, 111.0), Change::Worse);
        assert_eq!(less(100.0, 89.0), Change::Better);
        assert_eq!(less(0.0, 1.0), Change::Worse, "from none to some");
        assert_eq!(less(0.0, 0.0), Change::Neutral);
        assert_eq!(change(Wanted::Either, Some(1.0), Some(2.0)), Change::Neutral);
        assert_eq!(change(Wanted::Less, Some(1.0), None), Change::Neutral);
    }

    #[test]
    fn relative_change_needs_a_baseline_above_zero() {
        assert_eq!(relative(Some(4.0), Some(5.0)), Some(0.25));
        assert_eq!(relative(Some(0.0), Some(5.0)), None);
        assert_eq!(relative(None, Some(5.0)), None);
        assert_eq!(relative(Some(4.0), None), None);
    }
}
