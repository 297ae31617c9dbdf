//! The report for people: JMeter's table, the latencies, what came of the attempts, the verdict.

use std::fmt::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use crate::audit::{Audit, Verdict};
use crate::monitor::{BrokerUsage, ProcessUsage};
use crate::settings::RetryOn;
use crate::stats::{Bin, Summary};
use crate::units::{ByteSize, Share, Span};

use super::{Report, Settled};

/// Less CPU time is some ticks of the kernel's clock, of 10 ms each.
const CPU_EXACT_FROM: Duration = Duration::from_millis(200);

/// Columns of the widest bar of the histogram.
const BAR_WIDTH: u64 = 50;

/// The whole report; its last line is the verdict.
pub fn terminal(report: &Report, colour: bool) -> String {
    let mut text = String::new();
    let sections = [
        aggregate(&report.summary),
        times(report),
        histogram(&report.summary),
        counts(report),
        clicks(report),
        resources(report),
        broker(report),
        remarks(report),
        violations(&report.audit),
    ];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        let _ = writeln!(text, "{}\n", section.trim_end());
    }
    text + &verdict_line(report, colour) + "\n"
}

/// The verdict, in one line.
pub fn verdict_line(report: &Report, colour: bool) -> String {
    let verdict = verdict(report);
    let code = match (report.audit.verdict, report.is_valid()) {
        (Verdict::Fail, _) => 31,
        (Verdict::Pass, true) => 32,
        _ => 33,
    };
    // SGR: bold, then red, green or yellow (ECMA-48, 8.3.117).
    if colour { format!("\x1b[1;{code}m{verdict}\x1b[0m") } else { verdict }
}

fn verdict(report: &Report) -> String {
    let audit = &report.audit;
    let figure = |figure: Option<i128>| figure.map_or("?".to_owned(), |n| n.to_string());
    let stock = figure(audit.stock.map(i128::from));
    let orders = figure(audit.orders.map(i128::from));
    let left = figure(audit.stock_left.map(i128::from));
    match audit.verdict {
        Verdict::Fail if audit.oversold > 0 => {
            format!("OVERSOLD by {}: stock {stock}, sold {orders}", audit.oversold)
        }
        Verdict::Fail => {
            let broken: Vec<_> = audit.violations.iter().map(|v| v.invariant.as_str()).collect();
            let broken = broken.join(", ");
            format!("FAILED ({broken}): stock {stock}, sold {orders}, left {left}")
        }
        Verdict::Unknown => {
            let because = audit.because.as_deref().unwrap_or("no reason was given");
            format!("UNKNOWN, not a pass: {because}")
        }
        Verdict::Pass => {
            let invalid = if report.is_valid() { "" } else { " (but the run is INVALID)" };
            format!("NOT OVERSOLD: stock {stock}, sold {orders}, left {left}{invalid}")
        }
    }
}

/// JMeter's aggregate report.
fn aggregate(summary: &Summary) -> String {
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
    let latency = &summary.latency;
    let kb_per_second = |bytes| format!("{:.2}", summary.per_second(bytes) / 1024.0);
    for label in ["POST /seckill", "TOTAL"] {
        table.add_row([
            label.to_owned(),
            summary.total.to_string(),
            millis(latency.mean),
            millis(latency.p50 as f64),
            millis(latency.p90 as f64),
            millis(latency.p95 as f64),
            millis(latency.p99 as f64),
            millis(latency.min as f64),
            millis(latency.max as f64),
            format!("{:.2}%", 100.0 * summary.error_rate()),
            format!("{:.1}/s", summary.per_second(summary.total)),
            kb_per_second(summary.bytes_received),
            kb_per_second(summary.bytes_sent),
        ]);
    }
    table.column_iter_mut().skip(1).for_each(|c| c.set_cell_alignment(CellAlignment::Right));
    format!("Times in ms, from the beginning of an attempt to the last byte of its answer\n{table}")
}

/// All times side by side.
fn times(report: &Report) -> String {
    let summary = &report.summary;
    let (settle, settled) = report.settle();
    let rows = [
        ("service: begin to last byte", &summary.latency),
        ("corrected: intended to last byte", &summary.corrected),
        ("  connect", &summary.connect),
        ("  first byte", &summary.first_byte),
        ("generator's lag: intended to sent", &summary.lag),
        (
            match settled {
                Settled::Followed => "settled: intended to decision known",
                Settled::Ledger => "settled: accepted to decided",
            },
            &settle,
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
    let (named, total) = (summary.lag.count, summary.total);
    if named == total {
        return table.to_string();
    }
    format!(
        "{table}\nThe schedule named a moment for {named} of {total} requests; the corrected \
             time of the others is the service's"
    )
}

/// Milliseconds, to a microsecond below ten.
fn millis(us: f64) -> String {
    let ms = us / 1000.0;
    if ms < 10.0 { format!("{ms:.3}") } else { format!("{ms:.0}") }
}

fn histogram(summary: &Summary) -> String {
    let mut text = String::from("Latency\n");
    let most = summary.bins.iter().map(|bin| bin.count).max().unwrap_or(0).max(1);
    for Bin { to_us, count } in &summary.bins {
        let bar = (count * BAR_WIDTH).div_ceil(most) as usize;
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

fn counts(report: &Report) -> String {
    let summary = &report.summary;
    let listed = |pairs: Vec<String>| {
        if pairs.is_empty() { "none".to_owned() } else { pairs.join(", ") }
    };
    let outcomes = summary.by_outcome.iter().map(|(word, n)| format!("{word} {n}")).collect();
    let errors = summary.by_error.iter().map(|(kind, n)| format!("{kind} {n}")).collect();
    let mut text = format!("Outcomes   {}\nErrors     {}\n", listed(outcomes), listed(errors));
    let audit = &report.audit;
    if audit.orders.is_some() {
        let _ = writeln!(
            text,
            "Decisions  {} accepted, {} undecided, {} unknown",
            audit.accepted, audit.unresolved, audit.unknown_outcomes,
        );
    }
    text
}

/// What buyers did besides clicking once.
fn clicks(report: &Report) -> String {
    let (counts, plan) = (&report.summary.counts, &report.plan);
    let mut text = String::new();
    if !plan.warmup.is_zero() {
        let warmup = Span(plan.warmup);
        let _ = writeln!(
            text,
            "Warm-up    the {} requests of the first {warmup} are left out, but for the audit, the \
             ledger's times and the lines of progress",
            counts.warmup,
        );
    }
    if plan.double_click != Share::default() {
        let _ = writeln!(text, "Clicks     {} requests were sent twice at once", counts.twins);
    }
    if plan.retry.max > 0 {
        let after = RetryOn::ALL.into_iter().zip(counts.retries).filter(|(_, n)| *n > 0);
        let after: Vec<_> = after.map(|(cause, n)| format!("{} {n}", cause.as_str())).collect();
        let after = if after.is_empty() { "none".to_owned() } else { after.join(", ") };
        let _ = writeln!(
            text,
            "Retries    {after}; {} recovered, {} given up, {} over the budget of {}",
            counts.recovered, counts.gave_up, counts.over_budget, plan.retry.budget,
        );
    }
    if plan.follow {
        let _ = writeln!(
            text,
            "Followed   {} accepted buyers waited, {} of them until the decision; {} questions \
             failed",
            counts.followed, counts.decided, counts.follow_errors,
        );
    }
    if let Some(spread_us) = report.stampede() {
        let _ = writeln!(
            text,
            "Stampede   {} of {} connections were open beforehand; first to last request sent: \
             {} ms",
            counts.prepared,
            plan.connections(),
            millis(spread_us as f64),
        );
    }
    if counts.waited + counts.unsent > 0 {
        let _ = writeln!(
            text,
            "Arrivals   {} waited for a free user, {} were never sent",
            counts.waited, counts.unsent,
        );
    }
    text
}

/// As the article has it: before, during and after.
fn resources(report: &Report) -> String {
    let usage = &report.usage;
    let mut text = String::new();
    if usage.steal_percent >= 0.5 {
        let _ = writeln!(text, "Steal      {:.0}% of the machine's time", usage.steal_percent);
    }
    for (name, cores, process) in [
        ("Machine", "of all cores", &usage.machine),
        ("Generator", "of a core", &usage.generator),
        ("Server", "of a core", &usage.server),
    ] {
        let Some(process) = process else { continue };
        let ProcessUsage { cpu_percent_before, cpu_percent_mean, cpu_percent_max, .. } = process;
        let _ = write!(
            text,
            "{name:<9}  CPU {cpu_percent_before:.0}% before, {cpu_percent_mean:.0}% during \
             (max {cpu_percent_max:.0}%), {:.0}% after, {cores}",
            process.cpu_percent_after,
        );
        if process.rss_bytes_max > 0 {
            let _ = write!(
                text,
                "; {}{:.0} us per request; memory {}, {}, {}",
                if Duration::from_micros(process.cpu_us) < CPU_EXACT_FROM { "about " } else { "" },
                report.cpu_us_per_request(process),
                ByteSize(process.rss_bytes_before),
                ByteSize(process.rss_bytes_max),
                ByteSize(process.rss_bytes_after),
            );
        }
        text.push('\n');
    }
    text
}

fn broker(report: &Report) -> String {
    let mut text = String::new();
    if let Some(broker) = report.broker {
        let BrokerUsage { connections_max, connections_limit, connections_opened } = broker;
        let limit = connections_limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "Broker     {connections_max}{limit} connections at the most, {connections_opened} \
             opened during the run"
        );
    }
    if let Some(cause) = report.cause() {
        let _ = writeln!(text, "Cause      {cause}");
    }
    text
}

fn remarks(report: &Report) -> String {
    let mut text = format!("Seed       {}\n", report.plan.seed);
    if report.stock_left_before <= 0 {
        text += "Note       the sale was sold out before the run: nothing could be won\n";
    }
    if let Some(because) = &report.stopped {
        let _ = writeln!(text, "STOPPED    before the end of its plan: {because}");
    }
    for because in &report.invalid {
        let _ = writeln!(text, "INVALID    {because}");
    }
    text
}

fn violations(audit: &Audit) -> String {
    let mut text = String::new();
    for violation in &audit.violations {
        let _ = writeln!(
            text,
            "BROKEN     {}: {} ({} times)",
            violation.invariant.as_str(),
            violation.invariant.broken(),
            violation.count,
        );
        for witness in &violation.witnesses {
            let _ = writeln!(text, "             {witness}");
        }
    }
    text
}
