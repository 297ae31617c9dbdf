//! The result as JSON: numbers are plain, units are in the names. Keys may be added, never
//! renamed.

use serde_json::{Map, Value, json as object};

use crate::load::Process;

use super::Report;

/// The result's version.
const SCHEMA: u32 = 1;

/// The whole result.
pub fn json(report: &Report) -> Value {
    object!({
        "schema": SCHEMA,
        "seckill": env!("CARGO_PKG_VERSION"),
        "started": humantime::format_rfc3339_millis(report.started).to_string(),
        "plan": plan(report),
        "requests": requests(report),
        "latency_us": report.summary.latency,
        "latency_corrected_us": report.summary.corrected,
        "settle_us": report.settle,
        "generator": generator(report),
        "server": process(report, report.usage.server.as_ref()),
        "machine": {
            "cpu_percent_before": report.usage.machine_before,
            "cpu_percent_mean": report.usage.machine_mean,
            "cpu_percent_max": report.usage.machine_max,
            "cpu_percent_after": report.usage.machine_after,
        },
        "audit": audit(report),
    })
}

fn plan(report: &Report) -> Value {
    let mut plan = object!(report.plan);
    if let Value::Object(plan) = &mut plan {
        plan.insert("target".into(), report.target.url.clone().into());
    }
    plan
}

fn requests(report: &Report) -> Value {
    let summary = &report.summary;
    let by_outcome: Map<_, _> =
        summary.by_outcome.iter().map(|(word, n)| ((*word).to_owned(), (*n).into())).collect();
    let by_error: Map<_, _> =
        summary.by_error.iter().map(|(kind, n)| (kind.clone(), (*n).into())).collect();
    object!({
        "total": summary.total,
        "errors": summary.errors,
        "error_rate": summary.error_rate(),
        "per_second": summary.per_second(summary.total),
        "elapsed_us": summary.elapsed.as_micros() as u64,
        "bytes_sent": summary.bytes_sent,
        "bytes_received": summary.bytes_received,
        "by_outcome": by_outcome,
        "by_error": by_error,
    })
}

fn process(report: &Report, process: Option<&Process>) -> Value {
    object!({
        "cpu_us_per_request": process.map(|process| report.cpu_us_per_request(process)),
        "cpu_percent_mean": process.map(|process| process.cpu_percent_mean),
        "rss_bytes_max": process.map(|process| process.rss_bytes_max),
    })
}

fn generator(report: &Report) -> Value {
    let mut generator = process(report, report.usage.generator.as_ref());
    if let Value::Object(generator) = &mut generator {
        generator.insert("lag_us".into(), object!(report.summary.lag));
        generator.insert("valid".into(), report.invalid.is_none().into());
        generator.insert("invalid_because".into(), report.invalid.clone().into());
    }
    generator
}

fn audit(report: &Report) -> Value {
    let audit = &report.audit;
    let violations = audit.violations.iter().map(|violation| {
        object!({
            "invariant": violation.invariant.as_str(),
            "count": violation.count,
            "witnesses": violation.witnesses,
        })
    });
    object!({
        "verdict": audit.verdict.to_string(),
        "because": audit.because,
        "stock": audit.stock,
        "stock_left": audit.stock_left,
        "orders": audit.orders,
        "oversold": audit.oversold,
        "accepted": audit.accepted,
        "unresolved": audit.unresolved,
        "unknown_outcomes": audit.unknown_outcomes,
        "violations": violations.collect::<Vec<_>>(),
    })
}
