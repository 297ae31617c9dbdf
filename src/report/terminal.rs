//! The report for people: JMeter's table, the latencies, the outcomes of the attempts, and the
//! verdict.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::archive::{BrokerRecord, ProcessRecord, Run, SettleFrom};
use crate::escape::printable;
use crate::judge::Audit;
use crate::stats::{Bin, Quantiles};
use crate::units::{ByteSize, Share, Span};

use super::checks::unread_ledger;
use super::counts::{counts, listed};
use super::faults;
use super::not_checked;
use super::steps::{steps, unmatched};
use super::verdict::{crossed, verdict_line, was_sold_out};
use super::words::{INSECURE, how_often, millis, number_of};

/// CPU time above which the time per request is exact, in microseconds: a shorter time is only a
/// few ticks of the kernel's clock, of 10 ms each.
const CPU_US_EXACT_FROM: u64 = 200_000;

/// Columns of the widest bar of the histogram.
const BAR_WIDTH: u128 = 50;

/// The full report; its last line is the verdict.
pub fn terminal(run: &Run, colour: bool) -> String {
    let mut text = String::new();
    let sections = [
        aggregate(run),
        times(run),
        steps(run),
        histogram(&run.latency_bins),
        counts(run) + &unmatched(run),
        clicks(run),
        resources(run),
        broker(run),
        faults::all(run),
        remarks(run),
        not_checked::lines(&run.audit.audit),
        violations(&run.audit.audit),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        let _ = writeln!(text, "{}\n", section.trim_end());
    }
    text + &verdict_line(run, colour) + "\n"
}

/// JMeter's aggregate report.
fn aggregate(run: &Run) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "Label",
        "# Samples",
        "Average",
        "Median",
        "90% Line",
        "95% Line",
        "99% Line",
        "Min",
        "Max",
        "Error %",
        "Throughput",
        "Received KB/sec",
        "Sent KB/sec",
    ]);
    let (latency, requests) = (&run.latency_us, &run.requests);
    for label in [printable(&requests.label), "TOTAL".into()] {
        table.add_row([
            label.to_string(),
            requests.total.to_string(),
            millis(latency.mean),
            millis(latency.p50 as f64),
            millis(latency.p90 as f64),
            millis(latency.p95 as f64),
            millis(latency.p99 as f64),
            millis(latency.min as f64),
            millis(latency.max as f64),
            format!("{:.2}%", 100.0 * requests.error_rate),
            format!("{:.1}/s", requests.per_second),
            format!("{:.2}", requests.received_kb_per_second),
            format!("{:.2}", requests.sent_kb_per_second),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
    format!("Times in ms, from the beginning of an attempt to the last byte of its answer\n{table}")
}

/// The table of all times.
fn times(run: &Run) -> String {
    let [accepted, refused, failed] = &by_kind(run);
    let rows = [
        ("service: begin to last byte", &run.latency_us),
        ("  accepted", accepted),
        ("  refused", refused),
        ("  failed", failed),
        ("corrected: intended to last byte", &run.latency_corrected_us),
        ("  connect", &run.connect_us),
        ("  first byte", &run.first_byte_us),
        ("generator's lag: intended to sent", &run.generator.lag_us),
        (
            match run.settle_from {
                SettleFrom::Click => "settled: intended to decision known",
                SettleFrom::Ledger => "settled: accepted to decided",
            },
            &run.settle_us,
        ),
    ];
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "Times in ms",
        "Count",
        "Mean",
        "Median",
        "90%",
        "99%",
        "99.9%",
        "Max",
    ]);
    for (name, times) in rows.into_iter().filter(|(_, times)| times.count > 0) {
        let percentiles = [times.p50, times.p90, times.p99, times.p999, times.max];
        let mut row = vec![name.to_owned(), times.count.to_string(), millis(times.mean)];
        row.extend(percentiles.map(|us| millis(us as f64)));
        table.add_row(row);
    }
    table.column_iter_mut().skip(1).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
    let (named, total) = (run.requests.scheduled, run.requests.total);
    if named == total {
        return table.to_string();
    }
    format!(
        "{table}\n{named} of {total} requests had a scheduled moment; the corrected \
             time of the others equals the service time"
    )
}

/// The times of the service by kind of answer: accepted, refused, failed. If all answers are of one
/// kind, its times would repeat the others.
pub(super) fn by_kind(run: &Run) -> [Quantiles; 3] {
    [run.latency_accepted_us, run.latency_refused_us, run.latency_failed_us]
        .map(|times| times.filter(|times| times.count < run.latency_us.count).unwrap_or_default())
}

fn histogram(bins: &[Bin]) -> String {
    let mut text = String::from("Latency\n");
    let most = bins.iter().map(|bin| u128::from(bin.count)).max().unwrap_or(0).max(1);
    for Bin { to_us, count } in bins {
        let bar = (u128::from(*count) * BAR_WIDTH).div_ceil(most) as usize;
        let line = format!("  < {:>8}  {count:>9}  {}", short_time(*to_us), "#".repeat(bar));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn short_time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.1} s", us as f64 / 1e6),
    }
}

/// The warm-up, double clicks, retries, followed decisions, the stampede and the arrivals.
pub(super) fn clicks(run: &Run) -> String {
    let (requests, plan) = (&run.requests, &run.plan.plan);
    let mut text = String::new();
    if !plan.warmup.is_zero() {
        let warmup = Span(plan.warmup);
        let _ = writeln!(
            text,
            "Warm-up    {} of the first {warmup} excluded, but not from the audit, the ledger's \
             times and the progress lines",
            number_of(requests.warmup, "request"),
        );
    }
    if plan.double_click != Share::default() {
        let _ = writeln!(
            text,
            "Clicks     {} requests were sent twice simultaneously",
            requests.double_clicks
        );
    }
    if plan.retry.max > 0 {
        let retries = &requests.retries;
        let _ = writeln!(
            text,
            "Retries    {}; {} recovered, {} given up, {} over the budget of {}",
            listed(&retries.after),
            retries.recovered,
            retries.gave_up,
            retries.over_budget,
            plan.retry.budget,
        );
    }
    if let Some(follow) = run.follow {
        let _ = writeln!(
            text,
            "Followed   {} accepted buyers waited, {} of them until the decision; {} requests \
             for it failed",
            follow.followed, follow.decided, follow.errors,
        );
    }
    if let Some(stampede) = run.stampede {
        let (prepared, all) = (stampede.prepared, plan.connections());
        let _ = write!(text, "Stampede   {prepared} of {all} connections were open beforehand");
        // Where steps come before the purchases, those do not start together.
        let _ = match run.steps.is_empty() {
            true => {
                let spread = millis(stampede.spread_us as f64);
                writeln!(text, "; first to last request sent: {spread} ms")
            }
            false => writeln!(text),
        };
    }
    let (waited, unsent) = (run.generator.arrivals_waited, run.generator.arrivals_unsent);
    if waited + unsent > 0 {
        let _ =
            writeln!(text, "Arrivals   {waited} waited for a free user, {unsent} were never sent",);
    }
    text
}

/// The sockets; CPU and memory, as in the article: before, during and after the run.
fn resources(run: &Run) -> String {
    let mut text = String::new();
    if run.machine.steal_percent >= 0.5 {
        let _ =
            writeln!(text, "Steal      {:.0}% of the machine's time", run.machine.steal_percent);
    }
    let io = run.plan.plan.io.name();
    let _ = writeln!(text, "Sockets    the load's connections went over {io}");
    let machine = ProcessRecord { cpu_percent: run.machine.cpu_percent, ..Default::default() };
    for (name, cores, process) in [
        ("Machine", "of all cores", &machine),
        ("Generator", "of a core", &run.generator.process),
        ("Server", "of a core", &run.server),
    ] {
        let cpu = process.cpu_percent;
        let Some(before) = cpu.before else { continue };
        let during = match cpu.mean.zip(cpu.max) {
            Some((mean, max)) => format!("{mean:.0}% during (max {max:.0}%)"),
            None => "too short a run to tell".to_owned(),
        };
        let _ = write!(
            text,
            "{name:<9}  CPU {before:.0}% before, {during}, {:.0}% after, {cores}",
            cpu.after.unwrap_or(0.0),
        );
        text += &memory(process).unwrap_or_default();
        text.push('\n');
    }
    text
}

fn memory(process: &ProcessRecord) -> Option<String> {
    let max = process.rss_bytes_max.filter(|max| *max > 0)?;
    let per_request = match (process.cpu_us?, process.cpu_us_per_request) {
        (CPU_US_EXACT_FROM.., Some(us)) => format!("; {us:.0} us per request"),
        (_, Some(us)) => format!("; about {us:.0} us per request"),
        (_, None) => String::new(),
    };
    Some(format!(
        "{per_request}; memory {}, {}, {}",
        ByteSize(process.rss_bytes_before?),
        ByteSize(max),
        ByteSize(process.rss_bytes_after?),
    ))
}

pub(super) fn broker(run: &Run) -> String {
    let mut text = String::new();
    if let Some(broker) = run.broker {
        let BrokerRecord { connections_max, connections_limit, connections_opened } = broker;
        let limit = connections_limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "Broker     {connections_max}{limit} connections at the peak, at least \
             {connections_opened} opened during the run"
        );
    }
    if let Some(cause) = &run.requests.cause {
        let _ = writeln!(text, "Cause      {}", printable(cause));
    }
    text
}

pub(super) fn remarks(run: &Run) -> String {
    let mut text = format!("Seed       {}\n", run.plan.plan.seed);
    if let Some(seed) = run.plan.plan.nemesis {
        let _ = writeln!(text, "Nemesis    {seed}; the same command draws the same faults again");
    }
    if run.plan.plan.insecure {
        let _ = writeln!(text, "INSECURE   {INSECURE}");
    }
    if was_sold_out(run) {
        text += "Note       the sale was sold out before the run: nothing could be won\n";
    }
    if let Some(unread) = unread_ledger(run) {
        let _ = writeln!(text, "Ledger     {unread}");
    }
    for passed in run.thresholds.iter().filter(|result| result.passed) {
        let _ = writeln!(text, "Passed     {passed}");
    }
    text += &crossed(run);
    if let Some(because) = &run.requests.stopped_early {
        let _ = writeln!(text, "STOPPED    before the end of its plan: {}", printable(because));
    }
    for because in &run.generator.findings {
        let _ = writeln!(text, "INVALID    {because}");
    }
    text
}

fn violations(audit: &Audit) -> String {
    let mut text = String::new();
    for violation in &audit.violations {
        let _ = writeln!(
            text,
            "BROKEN     {}: {} ({})",
            violation.invariant.as_str(),
            violation.invariant.broken(),
            how_often(violation.count),
        );
        if let Some(cause) = &violation.cause {
            let _ = writeln!(text, "           Likely cause: {}", printable(cause));
        }
        for witness in &violation.witnesses {
            let id = witness.split(':').next().unwrap_or(witness);
            let timeline = violation.timelines.iter().find(|line| line.starts_with(id));
            // Most witnesses are ids, with which their timelines begin.
            if id != witness || timeline.is_none() {
                let _ = writeln!(text, "             {}", printable(witness));
            }
            if let Some(timeline) = timeline {
                let _ = writeln!(text, "             {}", printable(timeline));
            }
        }
    }
    text
}
