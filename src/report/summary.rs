//! A short text in Markdown: verdict, figures, thresholds and what is broken. It fits the summary
//! of a job of GitHub Actions.

use askama::Template;

use crate::archive::Run;
use crate::judge::ThresholdResult;

use super::checks::{Check, Kind, State, checks, counted, judged, notes};
use super::counts::order_ends;
use super::faults;
use super::not_checked::by_reason;
use super::titled::Titled;
use super::tone::Tone;
use super::verdict::verdict_line;
use super::words::{count, missing, outside, percent, rate, time};

#[derive(Template)]
#[template(path = "summary.md", escape = "none")]
struct Document {
    runs: Vec<Section>,
}

/// A run. All texts are escaped for Markdown.
struct Section {
    mark: &'static str,
    title: String,
    verdict: String,
    /// The cause of the errors, and what else is to be known of the run.
    notes: Vec<(&'static str, String)>,
    figures: Vec<(&'static str, String)>,
    thresholds: Vec<Threshold>,
    /// Invariants that the source of the ledger does not allow to check, with the reason.
    not_checked: Vec<String>,
    problems: Vec<Problem>,
}

struct Threshold {
    mark: &'static str,
    expr: String,
    measured: String,
    word: &'static str,
}

/// A check that does not hold, besides the thresholds.
struct Problem {
    name: String,
    message: String,
    details: Vec<String>,
}

/// A short report of runs, in Markdown.
///
/// # Errors
/// None that the template can cause.
pub fn summary(runs: &[Titled<'_>]) -> Result<String, askama::Error> {
    Document { runs: runs.iter().map(section).collect() }.render()
}

fn section(titled: &Titled<'_>) -> Section {
    let run = titled.run;
    let is_problem = |check: &Check| {
        check.kind != Kind::Threshold && matches!(check.state, State::Broken | State::Undecided)
    };
    let problems = checks(run).into_iter().filter(is_problem).map(|check| Problem {
        name: escaped(check.problem()),
        message: escaped(&check.message),
        details: check.details.iter().map(|line| escaped(line)).collect(),
    });
    Section {
        mark: Tone::of(run).emoji(),
        title: escaped(&outside(titled.name)),
        verdict: escaped(&verdict_line(run, false)),
        notes: notes(run).map(|(name, text)| (name, escaped(&text))).collect(),
        figures: figures(run).into_iter().map(|(name, text)| (name, escaped(&text))).collect(),
        thresholds: thresholds(run),
        not_checked: not_checked(run),
        problems: problems.collect(),
    }
}

fn not_checked(run: &Run) -> Vec<String> {
    let lines = by_reason(&run.audit.audit).into_iter();
    lines.map(|(reason, words)| escaped(&format!("{words}: {reason}"))).collect()
}

fn thresholds(run: &Run) -> Vec<Threshold> {
    let thresholds = judged(run).map(|(result, word)| Threshold {
        mark: if result.passed { "✅" } else { "❌" },
        expr: escaped(&outside(&result.expr)),
        measured: measured(result),
        word,
    });
    thresholds.collect()
}

/// The figure of a threshold, and the limit where the expression does not say it.
fn measured(result: &ThresholdResult) -> String {
    let show = |figure| result.unit.display(figure);
    let figure = result.measured.map_or_else(missing, show);
    match result.baseline {
        None => figure,
        Some(_) => format!("{figure}, limit {}", show(result.limit)),
    }
}

fn figures(run: &Run) -> Vec<(&'static str, String)> {
    let (requests, audit) = (&run.requests, &run.audit.audit);
    let known = |figure: Option<i128>| figure.map_or_else(missing, count);
    let mut figures = vec![
        ("Stock", known(audit.stock.map(i128::from))),
        ("Sold", known(audit.orders.map(i128::from))),
    ];
    if let Some(ends) = audit.order_ends {
        let (kept, back) = order_ends(ends, count);
        figures.push(("Orders", format!("{kept}; {back}")));
    }
    figures.extend(audit.payments.map(|payments| ("Payments", payments.describe())));
    figures.extend([
        ("Requests", format!("{}, {}", count(requests.total), rate(requests.per_second))),
        ("Errors", format!("{} ({})", percent(requests.error_rate), count(requests.errors))),
    ]);
    let kinds = [
        ("Accepted, p50 / p99", run.latency_accepted_us),
        ("Refused, p50 / p99", run.latency_refused_us),
        ("Failed, p50 / p99", run.latency_failed_us),
        ("Corrected, p50 / p99", Some(run.latency_corrected_us)),
    ];
    for (name, times) in kinds {
        let Some(times) = times.filter(|times| times.count > 0) else { continue };
        figures.push((name, format!("{} / {}", time(times.p50 as f64), time(times.p99 as f64))));
    }
    let words: Vec<_> = counted(&requests.by_outcome)
        .chain(counted(&requests.by_error))
        .map(|(word, number)| format!("{word} {}", count(number)))
        .collect();
    figures.push(("Answers", words.join(", ")));
    figures.extend(faults::in_short(run).map(|text| ("Faults", text)));
    figures
}

/// Escapes what Markdown or HTML would interpret. A character reference stands for itself and never
/// for markup (CommonMark 0.31, 2.5).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' | '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#'
            | '!' | '@' | '$' => escaped += &format!("&#{};", u32::from(c)),
            c => escaped.push(c),
        }
    }
    // Not a scheme any more, so that no reader makes a link of it.
    escaped.replace("://", "&#58;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        let hostile = "</svg><script>alert(1)</script> | **b** `c` [l](http://x) www.x @team";
        let escaped = escaped(hostile);
        for markup in ["<", ">", "|", "*", "`", "[", "]", "@", "://", "www."] {
            assert!(!escaped.contains(markup), "{markup} in {escaped}");
        }
        assert!(escaped.starts_with("&#60;/svg&#62;&#60;script&#62;alert(1)"), "{escaped}");
    }
}
