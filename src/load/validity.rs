//! Whether a run counts: whether what it measured is the server, and not the generator.

use std::time::Duration;

use crate::profile::{Model, Plan};
use crate::stats::Summary;

use super::Usage;
use super::run::workers;

/// Largest p99 of the lag with which a run counts: beyond, its figures are the generator's own.
const LAG_P99_MAX: Duration = Duration::from_millis(250);

/// Largest share of its cores that the generator may use, in percent: with all of it, the rate is
/// what the generator could send, not what the server could take.
const CPU_PERCENT_MAX: f64 = 95.0;

/// Largest share of the machine's time that its host may take away, in percent.
const STEAL_PERCENT_MAX: f64 = 10.0;

/// Shorter runs are not judged by shares of CPU, whose clock ticks a hundred times a second.
const JUDGED_FROM: Duration = Duration::from_secs(1);

/// Largest share of the arrivals that may find no user free.
const WAITED_MAX: f64 = 0.01;

/// Why a run does not count; nothing if it does.
pub fn invalid(plan: &Plan, summary: &Summary, usage: &Usage) -> Vec<String> {
    let mut reasons = Vec::new();
    let counts = &summary.counts;
    let count_of = |kind| {
        let of_kind = summary.by_error.iter().find(|(name, _)| name == kind);
        of_kind.map_or(0, |(_, count)| *count)
    };
    let (no_files, no_ports) = (count_of("no_files"), count_of("no_ports"));
    if no_files > 0 {
        reasons.push(format!(
            "{no_files} connections were not opened, at the limit of open files: raise it with \
             `ulimit -n`, or use fewer threads"
        ));
    }
    if no_ports > 0 {
        reasons.push(format!(
            "{no_ports} connections were not opened, since no local port was left: keep \
             connections alive, use fewer threads, or widen net.ipv4.ip_local_port_range"
        ));
    }
    if counts.unsent > 0 {
        reasons.push(format!(
            "{} arrivals were never sent, since no user got free for them before the end: raise \
             --max-threads",
            counts.unsent
        ));
    }
    let waited = counts.waited as f64 / summary.total.max(1) as f64;
    if waited > WAITED_MAX {
        reasons.push(format!(
            "{} arrivals ({:.1}%, over the limit of {}%) waited for a free user: raise \
             --max-threads, or the rate was not kept",
            counts.waited,
            100.0 * waited,
            100.0 * WAITED_MAX,
        ));
    }
    let lag = Duration::from_micros(summary.lag.p99);
    if is_paced(plan) && waited <= WAITED_MAX && lag > LAG_P99_MAX {
        reasons.push(format!(
            "the generator could not keep up: attempts began up to {lag:?} (p99) after their \
             moment, over the limit of {LAG_P99_MAX:?}. Use fewer threads, or a faster machine"
        ));
    }
    reasons.extend(by_cpu(plan, summary, usage));
    reasons
}

/// Where users start all at once, the schedule names one moment for all of them, and the lag is how
/// long it took to let them loose: that is reported, and judged by nobody.
fn is_paced(plan: &Plan) -> bool {
    match &plan.model {
        Model::Open { .. } => true,
        Model::Closed { ramp, stages, .. } => !ramp.is_zero() || !stages.is_empty(),
    }
}

fn by_cpu(plan: &Plan, summary: &Summary, usage: &Usage) -> Vec<String> {
    let mut reasons = Vec::new();
    if summary.elapsed < JUDGED_FROM {
        return reasons;
    }
    let cores = workers(plan.threads);
    let cpu = usage.generator.map_or(0.0, |usage| usage.cpu_percent_mean / cores as f64);
    if cpu > CPU_PERCENT_MAX {
        reasons.push(format!(
            "the generator was the bottleneck: it used {cpu:.0}% of its {cores} cores, over the \
             limit of {CPU_PERCENT_MAX}%. Use a lower rate or more think time, or more cores"
        ));
    }
    if usage.steal_percent > STEAL_PERCENT_MAX {
        reasons.push(format!(
            "the machine's host took away {:.0}% of its time, over the limit of \
             {STEAL_PERCENT_MAX}%: no latency here can be trusted",
            usage.steal_percent,
        ));
    }
    reasons
}
