//! Whether a run counts: whether what it measured is the server, and not the generator.

use std::time::Duration;

use crate::profile::Plan;
use crate::stats::Summary;

use super::run::workers;
use crate::monitor::Usage;

/// Largest p99 of the lag with which a run counts: beyond, its figures are the generator's own.
const LAG_P99_MAX: Duration = Duration::from_millis(250);

/// Largest share of its cores that the generator may use, in percent: with all of it, the rate is
/// what the generator could send, not what the server could take.
const CPU_PERCENT_MAX: f64 = 95.0;

/// Largest share of the machine's time that its host may take away, in percent.
const STEAL_PERCENT_MAX: f64 = 10.0;

/// Longest time that workers together may have to wait until what they measured is taken.
const STALLED_MAX: Duration = Duration::from_millis(10);

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
    if summary.total == 0 {
        reasons.push(
            "no request was measured: the run was over before, or within, its warm-up".into(),
        );
    }
    let stalled = Duration::from_micros(counts.stalled_us);
    if stalled > STALLED_MAX {
        reasons.push(format!(
            "the generator stood still for {stalled:?} (limit {STALLED_MAX:?}), since --jtl could \
             not be written as fast as requests ended: write it to a faster disk, or leave it out"
        ));
    }
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
    let arrivals = summary.total - counts.twins - counts.retried() + counts.unsent;
    let waited = counts.waited as f64 / arrivals.max(1) as f64;
    if waited > WAITED_MAX {
        reasons.push(format!(
            "{} arrivals ({:.1}%, over the limit of {}%) waited for a free user: raise \
             --max-threads, or the rate was not kept",
            counts.waited,
            100.0 * waited,
            100.0 * WAITED_MAX,
        ));
    }
    // Where users start all at once, the lag of that moment is how long it took to let them loose:
    // that is reported, and judged by nobody.
    let lag = Duration::from_micros(summary.paced_lag.p99);
    if waited <= WAITED_MAX && lag > LAG_P99_MAX {
        reasons.push(format!(
            "the generator could not keep up: attempts began up to {lag:?} (p99) after their \
             moment, over the limit of {LAG_P99_MAX:?}. Use fewer threads, or a faster machine"
        ));
    }
    reasons.extend(by_cpu(plan, summary, usage));
    reasons
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::BenchFlags;
    use crate::stats::{Click, Outcome, Recorder, Sample};

    /// What is said of a run whose attempts were due at these moments, and sent so much later.
    fn said(attempts: &[(u64, u64)]) -> Vec<String> {
        let mut recorder = Recorder::default();
        for (due_ms, late_ms) in attempts {
            let due = Duration::from_millis(*due_ms);
            let sent = due + Duration::from_millis(*late_ms);
            recorder.record(&Sample {
                thread: 0,
                click: Click::First,
                intended: Some(due),
                began: sent,
                connected: None,
                sent: Some(sent),
                first_byte: Some(sent),
                ended: sent,
                bytes_sent: 1,
                bytes_received: 1,
                status: 202,
                result: Ok(Outcome::Queued),
            });
        }
        let plan = Plan::new(&BenchFlags::default(), 1).unwrap();
        invalid(&plan, &recorder.finish(), &Usage::default())
    }

    #[test]
    fn who_is_late_is_invalid_but_for_the_moment_when_all_are_let_loose() {
        assert_eq!(said(&[(0, 400), (10, 20)]), [""; 0]);
        let late = said(&[(0, 0), (10, 400)]);
        assert!(late.len() == 1 && late[0].contains("could not keep up"), "{late:?}");
    }

    #[test]
    fn a_run_that_measured_nothing_does_not_count() {
        let nothing = said(&[]);
        assert!(nothing.len() == 1 && nothing[0].contains("no request"), "{nothing:?}");
    }
}
