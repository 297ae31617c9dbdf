//! The result as JSON: numbers are plain, units are in the names. Keys may be added, never
//! renamed.

use serde_json::{Map, Value, json as object};

use crate::monitor::ProcessUsage;
use crate::settings::RetryOn;

use super::{Report, Settled};

/// The result's version.
const SCHEMA: u32 = 1;

/// The whole result.
pub fn json(report: &Report) -> Value {
    let (settle, settled) = report.settle();
    object!({
        "schema": SCHEMA,
        "seckill": env!("CARGO_PKG_VERSION"),
        "started": humantime::format_rfc3339_millis(report.started).to_string(),
        "plan": plan(report),
        "requests": requests(report),
        "latency_us": report.summary.latency,
        "latency_corrected_us": report.summary.corrected,
        "connect_us": report.summary.connect,
        "first_byte_us": report.summary.first_byte,
        "settle_us": settle,
        "settle_from": match settled {
            Settled::Followed => "click",
            Settled::Ledger => "ledger",
        },
        "follow": follow(report),
        "stampede": stampede(report),
        "series": series(report),
        "generator": generator(report),
        "server": process(report, report.usage.server.as_ref()),
        "machine": machine(report),
        "broker": report.broker.map(|broker| object!({
            "connections_max": broker.connections_max,
            "connections_limit": broker.connections_limit,
            "connections_opened": broker.connections_opened,
        })),
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
    let counts = &summary.counts;
    let retries = RetryOn::ALL.into_iter().zip(counts.retries);
    let retries: Map<_, _> =
        retries.map(|(cause, n)| (cause.as_str().to_owned(), n.into())).collect();
    object!({
        "total": summary.total,
        "warmup": counts.warmup,
        "scheduled": summary.lag.count,
        "double_clicks": counts.twins,
        "retries": {
            "total": counts.retried(),
            "after": retries,
            "recovered": counts.recovered,
            "gave_up": counts.gave_up,
            "over_budget": counts.over_budget,
        },
        "errors": summary.errors,
        "error_rate": summary.error_rate(),
        "per_second": summary.per_second(summary.total),
        "stopped_early": report.stopped,
        "elapsed_us": summary.elapsed.as_micros() as u64,
        "bytes_sent": summary.bytes_sent,
        "bytes_received": summary.bytes_received,
        "by_outcome": by_outcome,
        "by_error": by_error,
        "cause": report.cause(),
    })
}

fn cpu_percent(usage: Option<&ProcessUsage>) -> Value {
    object!({
        "before": usage.map(|c| c.cpu_percent_before),
        "mean": usage.map(|c| c.cpu_percent_mean),
        "max": usage.map(|c| c.cpu_percent_max),
        "after": usage.map(|c| c.cpu_percent_after),
    })
}

fn machine(report: &Report) -> Value {
    object!({
        "cpu_percent": cpu_percent(report.usage.machine.as_ref()),
        "steal_percent": report.usage.steal_percent,
    })
}

/// What became of those who waited for the decision.
fn follow(report: &Report) -> Value {
    let counts = &report.summary.counts;
    if !report.plan.follow {
        return Value::Null;
    }
    object!({
        "followed": counts.followed,
        "decided": counts.decided,
        "errors": counts.follow_errors,
    })
}

fn stampede(report: &Report) -> Value {
    match report.stampede() {
        Some(spread_us) => object!({
            "prepared": report.summary.counts.prepared,
            "spread_us": spread_us,
        }),
        None => Value::Null,
    }
}

fn series(report: &Report) -> Value {
    let rows = report.series.points().map(|point| {
        let by_outcome: Map<_, _> =
            point.by_outcome.iter().map(|(word, n)| ((*word).to_owned(), (*n).into())).collect();
        object!({
            "from_s": point.from_s,
            "to_s": point.to_s,
            "sent": point.began,
            "ended": point.ended,
            "errors": point.errors,
            "by_outcome": by_outcome,
            "p50_us": point.p50_us,
            "p99_us": point.p99_us,
            "stock_left": point.sale.stock_left,
            "queued": point.sale.queued,
        })
    });
    rows.collect()
}

fn process(report: &Report, usage: Option<&ProcessUsage>) -> Value {
    object!({
        "cpu_us_per_request": usage.map(|c| report.cpu_us_per_request(c)),
        "cpu_percent": cpu_percent(usage),
        "rss_bytes_before": usage.map(|c| c.rss_bytes_before),
        "rss_bytes_max": usage.map(|c| c.rss_bytes_max),
        "rss_bytes_after": usage.map(|c| c.rss_bytes_after),
    })
}

fn generator(report: &Report) -> Value {
    let mut generator = process(report, report.usage.generator.as_ref());
    if let Value::Object(generator) = &mut generator {
        generator.insert("lag_us".into(), object!(report.summary.lag));
        let counts = &report.summary.counts;
        generator.insert("arrivals_waited".into(), counts.waited.into());
        generator.insert("arrivals_unsent".into(), counts.unsent.into());
        generator.insert("valid".into(), report.is_valid().into());
        let because = (!report.is_valid()).then(|| report.invalid.join("; "));
        generator.insert("invalid_because".into(), because.into());
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
        "stock_left_before": report.stock_left_before,
        "orders": audit.orders,
        "oversold": audit.oversold,
        "accepted": audit.accepted,
        "unresolved": audit.unresolved,
        "unknown_outcomes": audit.unknown_outcomes,
        "violations": violations.collect::<Vec<_>>(),
    })
}
