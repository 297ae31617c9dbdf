//! Expressions from their text to their result, by tables.

use std::time::Duration;

use crate::stats::{ErrorKind, Outcome, Quantiles, Reason, Recorder, Summary};

use super::expression::Limit;
use super::*;

const OUTCOMES: &[&str] = &["queued", "won", "lost", "rejected", "sold_out", "queue_full"];

fn parse(text: &str) -> Expression {
    Expression::parse(text, OUTCOMES).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn threshold(text: &str) -> Threshold {
    Threshold::new(parse(text), None).unwrap()
}

/// A distribution whose statistics are all different, and differ from those of other starts.
fn times(from: u64) -> Quantiles {
    Quantiles {
        count: 7,
        min: from,
        mean: from as f64 + 1.5,
        stddev: from as f64 + 2.5,
        p50: from + 3,
        p90: from + 4,
        p95: from + 5,
        p99: from + 6,
        p999: from + 7,
        max: from + 8,
    }
}

fn figures() -> Figures {
    Figures {
        latency: times(100),
        corrected: times(200),
        accepted: times(300),
        refused: times(400),
        failed: times(500),
        connect: times(600),
        first_byte: times(700),
        lag: times(800),
        settle: times(900),
        payment: Quantiles { count: 50, ..times(1_000) },
        payment_errors: 2,
        total: 1_000,
        errors: 20,
        per_second: 171.5,
        by_outcome: vec![("queued".into(), 10), ("sold_out".into(), 970)],
        by_error: vec![("timeout".into(), 15), ("http_500".into(), 5)],
        server: ProcessFigures { cpu_us_per_request: Some(41.5), rss_bytes_max: Some(1 << 20) },
        generator: ProcessFigures { cpu_us_per_request: Some(37.5), rss_bytes_max: Some(2 << 20) },
        oversold: Some(3),
        fifo_violations: Some(4),
        gini: Some(0.25),
    }
}

#[test]
fn expressions_are_read() {
    use Comparison::{Above, AtLeast, AtMost, Below};
    let cases = [
        ("p99>50ms", "p99", Above, 50_000.0, Unit::Us),
        (" p99 >= 50ms ", "p99", AtLeast, 50_000.0, Unit::Us),
        ("latency.p99.9<1s", "p999", Below, 1e6, Unit::Us),
        ("corrected.p99<=200ms", "corrected.p99", AtMost, 200_000.0, Unit::Us),
        ("settle.max>1m30s", "settle.max", Above, 90e6, Unit::Us),
        ("errors>0.1%", "errors", Above, 0.001, Unit::Share),
        ("errors>10", "errors", Above, 10.0, Unit::Count),
        ("rate<2k/s", "rate", Below, 2_000.0, Unit::PerSecond),
        ("outcome.queue_full>5%", "outcome.queue_full", Above, 0.05, Unit::Share),
        ("error.http_503>0", "error.http_503", Above, 0.0, Unit::Count),
        ("server.cpu_us_per_request>40", "server.cpu_us_per_request", Above, 40.0, Unit::Number),
        ("generator.rss_bytes_max>1MiB", "generator.rss_bytes_max", Above, 1048576.0, Unit::Bytes),
        ("oversold>0", "oversold", Above, 0.0, Unit::Count),
        ("gini>0.5", "gini", Above, 0.5, Unit::Number),
    ];
    for (text, metric, comparison, limit, unit) in cases {
        let read = parse(text);
        assert_eq!(read.metric.to_string(), metric, "{text}");
        assert_eq!((read.comparison, read.limit), (comparison, Limit::Figure(limit)), "{text}");
        assert_eq!((read.unit, read.is_relative()), (unit, false), "{text}");
    }
    for (text, unit) in
        [("p99>1.2x", Unit::Us), ("p99>1.2X", Unit::Us), ("errors>1.2x", Unit::Share)]
    {
        let read = parse(text);
        assert_eq!((read.limit, read.unit), (Limit::Times(1.2), unit), "{text}");
        assert!(read.is_relative());
    }
}

#[test]
fn errors_show_the_wrong_place_and_what_is_expected_there() {
    let long = format!("p99>{}ms", "9".repeat(110));
    let texts = [
        "",
        "> 5ms",
        "pp99>50ms",
        "latency>50ms",
        "accepted.>50ms",
        "p98>50ms",
        "p98.5>50ms",
        "refused.p98>5ms",
        "acepted.p99>50ms",
        "banana>1",
        "eror>1%",
        "outcome.queue_ful>5%",
        "outcome>5%",
        "error.timeuot>0",
        "server.cpu>40",
        "p99",
        "p99=50ms",
        "p99>50ms && errors>0",
        "p99==50ms",
        "p99 => 50ms",
        "p99>",
        "p99>50",
        "p99 >= 50",
        "p99>fast",
        "p99>>5ms",
        "p99>-5ms",
        "errors>50ms",
        "rate<2000",
        "oversold>1%",
        "gini>50%",
        "gini>2",
        "server.cpu_us_per_request>40us",
        "server.rss_bytes_max>1s",
        "payment.error>1%",
        "payment>1s",
        "paymnt.errors>1%",
        "p99>0x",
        "p99>-1x",
        "p99>x",
        "p\u{1b}[2J99>5ms",
        "p99>5ms\u{7}",
        &long,
    ];
    let shown = texts.map(|text| match Expression::parse(text, OUTCOMES) {
        Ok(read) => panic!("{text} was read: {read:?}"),
        Err(error) => error.to_string(),
    });
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn expressions_are_bounded() {
    let problem = |len: usize| {
        let text = format!("{}>1%", "e".repeat(len - ">1%".len()));
        Expression::parse(&text, OUTCOMES).unwrap_err().problem().to_owned()
    };
    assert!(problem(100).ends_with(" is no metric"));
    assert_eq!(problem(101), "an expression of more than 100 bytes");
}

#[test]
fn caret_is_under_the_wrong_word_behind_wide_escapes() {
    let error = Expression::parse("outcome.\u{7}\u{7}>5%", OUTCOMES).unwrap_err().to_string();
    let lines: Vec<_> = error.lines().collect();
    let (wrong, carets) = ("\\u{7}\\u{7}", lines[2].trim_start().split(' ').next().unwrap());
    assert_eq!(lines[1].find(wrong), lines[2].find('^'), "{error}");
    assert_eq!(wrong.len(), carets.len(), "{error}");
}

#[test]
fn every_metric_has_its_figure() {
    let figures = figures();
    let statistics = ["min", "mean", "stddev", "p50", "p90", "p95", "p99", "p999", "max"];
    let offsets = [0.0, 1.5, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let groups = ["", "corrected.", "accepted.", "refused.", "failed.", "connect.", "first_byte."];
    let mut expected = Vec::new();
    for (group, from) in groups.into_iter().chain(["lag.", "settle.", "payment."]).zip(1..) {
        for (statistic, offset) in statistics.into_iter().zip(offsets) {
            let figure = f64::from(from) * 100.0 + offset;
            expected.push((format!("{group}{statistic}"), "1ms", figure));
        }
    }
    let others = [
        ("errors", "1%", 0.02),
        ("errors", "1", 20.0),
        ("payment.errors", "1%", 0.04),
        ("payment.errors", "1", 2.0),
        ("rate", "1/s", 171.5),
        ("outcome.sold_out", "1%", 0.97),
        ("outcome.queued", "1", 10.0),
        ("outcome.queue_full", "1", 0.0),
        ("outcome.won", "1%", 0.0),
        ("outcome.lost", "1", 0.0),
        ("outcome.rejected", "1", 0.0),
        ("error.timeout", "1%", 0.015),
        ("error.http_500", "1", 5.0),
        ("server.cpu_us_per_request", "1", 41.5),
        ("server.rss_bytes_max", "1", 1_048_576.0),
        ("generator.cpu_us_per_request", "1", 37.5),
        ("generator.rss_bytes_max", "1", 2_097_152.0),
        ("oversold", "1", 3.0),
        ("fifo_violations", "1", 4.0),
        ("gini", "1", 0.25),
    ];
    expected.extend(others.map(|(name, limit, figure)| (name.to_owned(), limit, figure)));
    for (name, limit, figure) in &expected {
        let text = format!("{name}>{limit}");
        let result = threshold(&text).evaluate(&figures);
        assert_eq!(result.measured, Some(*figure), "{text}");
        assert_eq!(result.passed, *figure <= result.limit, "{text}: {result:?}");
        // Without a measurement, no comparison passes.
        for operator in [">", ">=", "<", "<="] {
            let text = format!("{name}{operator}{limit}");
            let result = threshold(&text).evaluate(&Figures::default());
            assert_eq!((result.measured, result.passed), (None, false), "{text}");
        }
    }
    let names = Metric::names(OUTCOMES);
    let is_tested = |name: &&String| expected.iter().any(|(tested, ..)| tested == *name);
    let untested: Vec<_> = names.iter().filter(|name| !is_tested(name)).collect();
    assert!(untested.iter().all(|name| name.starts_with("error.")), "{untested:?}");
}

#[test]
fn comparison_that_holds_is_crossed() {
    let figures = figures();
    for (operator, below, equal, above) in [
        (">", false, false, true),
        (">=", false, true, true),
        ("<", true, false, false),
        ("<=", true, true, false),
    ] {
        for (limit, is_crossed) in [("107us", below), ("106us", equal), ("105us", above)] {
            let text = format!("p99{operator}{limit}");
            assert_eq!(!threshold(&text).evaluate(&figures).passed, is_crossed, "{text}");
        }
    }
}

#[test]
fn relative_limit_is_a_multiple_of_the_baseline() {
    let (figures, mut baseline) = (figures(), figures());
    baseline.latency.p99 = 100;
    baseline.errors = 0;
    let against = |text: &str| Threshold::new(parse(text), Some(&baseline));
    let result = |text: &str| against(text).unwrap().evaluate(&figures);
    let grown = result("p99>1.05x");
    assert_eq!((grown.baseline, grown.limit, grown.passed), (Some(100.0), 105.0, false));
    assert_eq!(grown.to_string(), "p99>1.05x: 0.106 ms (limit 0.105 ms, baseline 0.100 ms)");
    assert!(result("p99>1.07x").passed && result("rate<0.9x").passed);
    // A multiple of 0 is 0: then a single error is more.
    let errors = result("errors>2x");
    assert_eq!((errors.baseline, errors.limit, errors.passed), (Some(0.0), 0.0, false));
    assert!(against("errors>2x").unwrap().evaluate(&baseline).passed);
    // The baseline is not asked for other limits.
    assert_eq!(result("p99>1s").baseline, None);
    baseline.accepted = Quantiles::default();
    let lacking = Threshold::new(parse("accepted.p99>2x"), Some(&baseline)).unwrap_err();
    let without = Threshold::new(parse("accepted.p99>2x"), None).unwrap_err();
    insta::assert_snapshot!(format!("{lacking}\n\n{without}"));
}

#[test]
fn errors_have_a_limit_unless_another_is_given() {
    let all = |texts: &[&str], max: Option<u8>| {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let max = max.map(crate::units::Share::percent);
        let all = Expression::all(&texts, max, OUTCOMES).unwrap();
        all.into_iter().map(|expression| expression.text).collect::<Vec<_>>()
    };
    assert_eq!(all(&[], None), ["errors>1%"]);
    assert_eq!(all(&["p99>1s"], None), ["p99>1s", "errors>1%"]);
    assert_eq!(all(&["errors>=5%", "p99>1s"], None), ["errors>=5%", "p99>1s"]);
    assert_eq!(all(&["error.timeout>0"], None), ["error.timeout>0", "errors>1%"]);
    assert_eq!(all(&["errors>=5%"], Some(7)), ["errors>=5%", "errors>7%"]);
    assert_eq!(Expression::errors_over(crate::units::Share::percent(7)), parse("errors>7%"));
}

#[test]
fn figures_during_a_run_are_those_of_its_requests() {
    let sold_out = Outcome::Refused(Reason::intern("sold_out"));
    let all = figures();
    let summary = Summary {
        total: all.total,
        errors: all.errors,
        by_outcome: vec![(Outcome::Accepted, 10), (sold_out, 970)],
        by_error: vec![(ErrorKind::Timeout, 15), (ErrorKind::Http(500), 5)],
        elapsed: Duration::from_secs(4),
        latency: all.latency,
        corrected: all.corrected,
        accepted: all.accepted,
        refused: all.refused,
        failed: all.failed,
        connect: all.connect,
        first_byte: all.first_byte,
        lag: all.lag,
        // It is not complete before the end.
        settle: all.settle,
        ..Recorder::default().finish()
    };
    let expected = Figures {
        per_second: 250.0,
        settle: Quantiles::default(),
        payment: Quantiles::default(),
        payment_errors: 0,
        server: ProcessFigures::default(),
        generator: ProcessFigures::default(),
        oversold: None,
        fifo_violations: None,
        gini: None,
        ..all
    };
    assert_eq!(Figures::live(&summary), expected);
}

#[test]
fn figures_of_the_end_are_refused_during_the_run() {
    for text in ["p99>1s", "lag.p99>5ms", "failed.max>1s", "errors>1%", "rate<5/s"] {
        assert_eq!(parse(text).check_live(), Ok(()), "{text}");
    }
    for text in ["outcome.lost>5%", "error.reset>0"] {
        assert_eq!(parse(text).check_live(), Ok(()), "{text}");
    }
    for text in [
        "settle.p99>1s",
        "payment.p99>1s",
        "payment.errors>1%",
        "gini>0.5",
        "fifo_violations>0",
        "server.rss_bytes_max>1",
    ] {
        assert!(parse(text).check_live().is_err(), "{text}");
    }
    let error = parse("oversold > 0").check_live().unwrap_err();
    insta::assert_snapshot!(error);
}

#[test]
fn result_is_written_and_read() {
    let result = threshold("errors>1%").evaluate(&figures());
    let json = serde_json::to_value(&result).unwrap();
    let expected = serde_json::json!({"expr": "errors>1%", "metric": "errors", "unit": "share",
        "measured": 0.02, "limit": 0.01, "baseline": null, "passed": false});
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<ThresholdResult>(json).unwrap(), result);
    assert_eq!(result.to_string(), "errors>1%: 2.000%");
    let none = threshold("accepted.p99>5ms").evaluate(&Figures::default());
    assert_eq!(none.to_string(), "accepted.p99>5ms: not measured");
}
