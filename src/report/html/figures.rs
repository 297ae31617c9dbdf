//! The tables of a run.

use crate::archive::{CpuPercent, ProcessRecord, Run, SettleFrom, StepRecord};
use crate::report::checks::{LISTED_MAX, counted};
use crate::report::counts::counts as counted_in_words;
use crate::report::faults::killed_server;
use crate::report::steps::unmatched;
use crate::report::terminal::clicks;
use crate::report::words::{count, cpu, memory, missing, outside, percent, time};
use crate::report::wrap::TEXT_FROM;

/// A table; the first column names its rows.
pub(super) struct Table {
    /// Its name, for those who cannot see what is around it.
    pub(super) caption: &'static str,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(caption: &'static str, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { caption, head: head.iter().map(|cell| (*cell).to_owned()).collect(), rows }
    }
}

/// All times.
pub(super) fn times(run: &Run) -> Table {
    let settled = match run.settle_from {
        SettleFrom::Click => "Settled: intended to decision known",
        SettleFrom::Ledger => "Settled: accepted to decided",
    };
    let rows = [
        ("Service: begin to last byte", Some(run.latency_us)),
        ("– accepted", run.latency_accepted_us),
        ("– refused", run.latency_refused_us),
        ("– failed", run.latency_failed_us),
        ("Corrected: intended to last byte", Some(run.latency_corrected_us)),
        ("Connect", Some(run.connect_us)),
        ("First byte", Some(run.first_byte_us)),
        ("Generator’s lag: intended to sent", Some(run.generator.lag_us)),
        (settled, Some(run.settle_us)),
    ];
    let step = |step: &StepRecord| {
        let failed = match step.errors {
            0 => String::new(),
            errors => format!(" ({} failed)", count(errors)),
        };
        (format!("Step {}{failed}", outside(&step.label)), Some(step.latency_us))
    };
    let rows = rows.into_iter().map(|(name, times)| (name.to_owned(), times));
    let rows = rows.chain(run.steps.iter().map(step)).filter_map(|(name, times)| {
        let times = times.filter(|times| times.count > 0)?;
        let mut row = vec![name, count(times.count), time(times.mean)];
        let percentiles = [times.min, times.p50, times.p90, times.p95, times.p99, times.p999];
        row.extend(percentiles.map(|us| time(us as f64)));
        row.push(time(times.max as f64));
        Some(row)
    });
    let head = ["Times", "Count", "Mean", "Min", "p50", "p90", "p95", "p99", "p99.9", "Max"];
    Table::new("All times", &head, rows.collect())
}

/// Answers by outcome and by error, with their shares.
pub(super) fn counts(run: &Run) -> Table {
    let total = run.requests.total.max(1) as f64;
    let row = |(word, number): (String, u64), kind: &str| {
        vec![word, kind.to_owned(), count(number), percent(number as f64 / total)]
    };
    let outcomes = counted(&run.requests.by_outcome).map(|counted| row(counted, "outcome"));
    let errors = counted(&run.requests.by_error).map(|counted| row(counted, "error"));
    let head = ["Answer", "Kind", "Requests", "Share"];
    Table::new("Answers by outcome and error", &head, outcomes.chain(errors).collect())
}

/// What the terminal says of the run besides: decisions, fairness, clicks, retries, the stampede.
pub(super) fn remarks(run: &Run) -> Table {
    let text = counted_in_words(run) + &unmatched(run) + &clicks(run);
    let lines = text.lines().filter_map(|line| line.split_at_checked(TEXT_FROM));
    // The table of answers has these.
    let others = lines.filter(|(name, _)| !["Outcomes", "Errors"].contains(&name.trim_end()));
    let rows = others.map(|(name, text)| vec![name.trim_end().to_owned(), text.to_owned()]);
    Table::new("Decisions and what else is known", &[], rows.collect())
}

/// CPU and memory before, during and after the run.
pub(super) fn resources(run: &Run) -> Table {
    let machine = ProcessRecord { cpu_percent: run.machine.cpu_percent, ..Default::default() };
    let row = |name: &str, process: &ProcessRecord| {
        let CpuPercent { before, mean, max, after } = process.cpu_percent;
        vec![
            name.to_owned(),
            cpu(before),
            cpu(mean),
            cpu(max),
            cpu(after),
            process.cpu_us_per_request.map_or_else(missing, time),
            memory(process.rss_bytes_before),
            memory(process.rss_bytes_max),
            memory(process.rss_bytes_after),
        ]
    };
    let head = [
        "Process",
        "CPU before",
        "during",
        "max",
        "after",
        "CPU per request",
        "Memory before",
        "max",
        "after",
    ];
    let rows = vec![
        row("Generator, of a core", &run.generator.process),
        row("Server, of a core", &run.server),
        row("Machine, of all cores", &machine),
    ];
    Table::new("CPU and memory", &head, rows)
}

/// Why the server has no figures among these, where that is known.
pub(super) fn why_no_server(run: &Run) -> Option<&'static str> {
    let is_measured = run.server.cpu_percent.before.is_some();
    (!is_measured && killed_server(run)).then_some(
        "The server has no figures here, because a fault killed the process that was measured.",
    )
}

/// The health of the load generator.
pub(super) fn health(run: &Run) -> Table {
    let (generator, requests) = (&run.generator, &run.requests);
    let lag = generator.lag_us;
    let mut rows = vec![
        vec!["Valid".to_owned(), if generator.valid { "yes" } else { "no" }.to_owned()],
        vec![
            "Lag, p50 / p99 / max".to_owned(),
            match lag.count {
                0 => missing(),
                _ => format!(
                    "{} / {} / {}",
                    time(lag.p50 as f64),
                    time(lag.p99 as f64),
                    time(lag.max as f64)
                ),
            },
        ],
        vec![
            "Requests with a scheduled moment".to_owned(),
            format!("{} of {}", count(requests.scheduled), count(requests.total)),
        ],
        vec!["Arrivals that waited for a free user".to_owned(), count(generator.arrivals_waited)],
        vec!["Arrivals that were never sent".to_owned(), count(generator.arrivals_unsent)],
        vec![
            "Steal: the machine’s time that its host took".to_owned(),
            format!("{:.1} %", run.machine.steal_percent),
        ],
    ];
    if let Some(broker) = run.broker {
        let limit = broker.connections_limit.map(|limit| format!(" of {}", count(limit)));
        rows.push(vec![
            "Broker’s connections at the peak".to_owned(),
            format!("{}{}", count(broker.connections_max), limit.unwrap_or_default()),
        ]);
        let opened = format!("at least {}", count(broker.connections_opened));
        rows.push(vec!["Broker’s connections opened during the run".to_owned(), opened]);
    }
    Table::new("Health of the load generator", &["Figure", "Value"], rows)
}

/// Why a run is invalid, in words.
pub(super) fn findings(run: &Run) -> Vec<String> {
    let findings = run.generator.findings.iter().take(LISTED_MAX);
    findings.map(|finding| outside(&finding.to_string())).collect()
}
