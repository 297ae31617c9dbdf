//! Pages, test results and summaries of runs that hold what nobody expects: everything from outside
//! is text, whatever it holds, and a page stays small.

use seckill::archive::{CpuRow, Run, SeriesRow, Tally};
use seckill::judge::{Audit, Invariant, Verdict, Violation};
use seckill::report::{RUNS_MAX, Titled, annotations, html, junit, short, summary, terminal};
use seckill::stats::FaultRecord;

use super::report::{not_checked, oversold, report};

/// Ends an SVG drawing, a script, a CDATA section, an attribute and a table, and begins others;
/// moves a terminal's cursor, and ends a line.
const HOSTILE: &str = "</svg><script>alert(1)</script>]]>\"'><img src=x onerror=y> | `x` **b** \
                       [l](http://x.test) \u{1b}[2J\u{202e}\n::error::forged\r\n# forged\0\u{fffe}";

/// A run with the hostile text wherever text comes from outside.
fn hostile() -> Run {
    let mut run = report(oversold());
    let counts = || Tally(vec![(HOSTILE.to_owned(), 3)]);
    let text = || HOSTILE.to_owned();
    run.seckill = text();
    run.plan.target = text();
    run.plan.spawn = Some(vec![text()]);
    run.requests.label = text();
    run.requests.cause = Some(text());
    run.requests.stopped_early = Some(text());
    (run.requests.by_outcome, run.requests.by_error) = (counts(), counts());
    run.series = vec![row(0, counts)];
    let audit = &mut run.audit.audit;
    audit.because = Some(text());
    audit.checked.clear();
    let violation = |invariant| Violation {
        invariant,
        count: 2,
        witnesses: vec![text(), format!("id: {HOSTILE}")],
        timelines: vec![format!("id: +1.0 ms {HOSTILE}; {HOSTILE}")],
        cause: Some(text()),
    };
    audit.violations = vec![violation(Invariant::NeverOversold)];
    run.thresholds.iter_mut().for_each(|result| result.expr = text());
    run
}

fn row(second: u64, counts: impl Fn() -> Tally) -> SeriesRow {
    let busy = Some(33.3 + second as f64 % 7.0);
    SeriesRow {
        from_s: second,
        to_s: second + 1,
        sent: 100_000 + second,
        ended: 100_000 + 37 * (second % 11),
        errors: second % 3,
        by_outcome: counts(),
        by_error: counts(),
        p50_us: 1_000 + 11 * (second % 13),
        p99_us: 10_000 + 101 * (second % 17),
        corrected_p50_us: 1_500 + 13 * (second % 19),
        corrected_p99_us: 15_000 + 107 * (second % 23),
        stock_left: Some(1_000_000 - second as i64),
        queued: Some(7 * (second % 29)),
        faults: Vec::new(),
        cpu_percent: CpuRow { generator: busy, server: busy, machine: busy },
    }
}

#[track_caller]
fn assert_absent(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part:?} is in\n{text}");
    }
}

/// What must be in no file as it is.
const CONTROLS: [&str; 4] = ["\u{1b}", "\u{202e}", "\0", "\u{fffe}"];

#[test]
fn hostile_text_is_text_in_a_page() {
    let run = hostile();
    let titled = [Titled { name: HOSTILE, run: &run }; 2];
    let page = html(&titled).unwrap();
    assert_absent(&page, &["<script", "</svg><", "<img", "'><", "\n::error", "\n# "]);
    assert_absent(&page, &CONTROLS[..3]);
    let document = page.matches("<svg").count();
    assert_eq!(document, page.matches("</svg>").count());
    assert!(page.contains("&#60;script&#62;alert(1)"), "it is not shown at all");
}

#[test]
fn hostile_text_is_text_in_test_results() {
    let run = hostile();
    let xml = junit(&[Titled { name: HOSTILE, run: &run }]).unwrap();
    assert_absent(&xml, &["<script", "]]>", "<img", "\n::error", "\n# "]);
    assert_absent(&xml, &CONTROLS);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let names = document.descendants().filter(|node| node.is_element());
    let known = [
        "testsuites",
        "testsuite",
        "properties",
        "property",
        "testcase",
        "failure",
        "error",
        "skipped",
        "system-out",
    ];
    assert!(names.map(|node| node.tag_name().name()).all(|name| known.contains(&name)), "{xml}");
}

#[test]
fn hostile_text_is_text_in_a_summary_and_in_annotations() {
    let run = hostile();
    let text = summary(&[Titled { name: HOSTILE, run: &run }]).unwrap();
    assert_absent(&text, &["<script", "<img", "</", "`x`", "**b**", "](", "://"]);
    assert_absent(&text, &["\n::error", "\n# "]);
    assert_absent(&text, &CONTROLS[..3]);
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|line| line.matches('|').count()).max();
    assert_eq!(cells, Some(4), "a cell ends a row\n{text}");
    let lines = annotations(&run);
    assert!(!lines.is_empty());
    for line in lines {
        let is_command = ["::error", "::warning"].iter().any(|word| line.starts_with(word));
        assert!(is_command, "{line}");
        assert_absent(&line, &["\n", "\r", "\u{1b}"]);
    }
}

#[test]
fn invariants_that_were_not_checked_are_skipped_with_the_reason() {
    let mut audit = oversold();
    (audit.verdict, audit.violations) = (Verdict::Unknown, Vec::new());
    (audit.because, audit.checked) = (Some("the ledger is gone".into()), Vec::new());
    let run = report(audit);
    let xml = junit(&[Titled { name: "run", run: &run }]).unwrap();
    let skipped = xml.matches("<skipped message=\"the ledger is gone\"/>").count();
    assert_eq!(skipped, Invariant::ALL.len());
    assert!(xml.contains("<error type=\"undecided\" message=\"the ledger is gone\">"), "{xml}");
    let page = html(&[Titled { name: "run", run: &run }]).unwrap();
    assert_eq!(page.matches("Not checked: the ledger is gone").count(), Invariant::ALL.len());
    assert!(page.contains("verdict warn"));
    assert!(annotations(&run)[0].starts_with("::warning "), "{:?}", annotations(&run));
}

#[test]
fn name_of_an_invariant_breaks_only_after_an_underscore_of_a_narrow_page() {
    let run = report(oversold());
    let page = html(&[Titled { name: "run", run: &run }]).unwrap();
    for invariant in Invariant::ALL {
        let name = invariant.as_str().replace('_', "_<wbr>");
        assert!(page.contains(&format!("<th scope=\"row\"><code>{name}</code></th>")), "{name}");
    }
    assert!(page.contains("th code{overflow-wrap:normal}"));
    assert!(page.contains("@media not all and (max-width:600px){.names wbr{display:none}}"));
}

#[test]
fn page_says_why_a_killed_server_has_no_figures() {
    let why = "because a fault killed the process that was measured";
    let says = |fault: &str, began_us: Option<u64>, cpu_before: Option<f64>| {
        let mut run = report(oversold());
        run.faults = vec![FaultRecord { fault: fault.into(), began_us, ..Default::default() }];
        run.server.cpu_percent.before = cpu_before;
        html(&[Titled { name: "run", run: &run }]).unwrap().contains(why)
    };
    let (kill, pause) = ("at=1s what=server do=kill", "at=1s what=server do=pause");
    assert!(says(kill, Some(1), None));
    assert!(!says(kill, None, None), "it never began");
    assert!(!says(kill, Some(1), Some(1.0)), "the server was measured");
    assert!(!says(pause, Some(1), None), "the server was not killed");
}

#[test]
fn page_of_the_longest_and_worst_runs_is_small() {
    let mut run = report(oversold());
    let words = ["queued", "won", "lost", "sold_out", "already_bought", "rate_limited"];
    let counts = || Tally(words.map(|word| (word.to_owned(), 12_345)).to_vec());
    (run.requests.by_outcome, run.requests.by_error) = (counts(), counts());
    run.series = (0..1024).map(|second| row(second, counts)).collect();
    let ids: Vec<_> =
        (0..10).map(|n| format!("7c9e6679-7425-40de-944b-e07fc1f90a{n:02}")).collect();
    let event = "+90025.000 ms decided won default-1-2, 10000 us after the order of one before it";
    let timeline = |id: &String| format!("{id}: {}", [event; 8].join("; "));
    let violation = |invariant: &Invariant| Violation {
        invariant: *invariant,
        count: 1_000,
        timelines: ids.iter().map(timeline).collect(),
        witnesses: ids.clone(),
        cause: Some("the stock was read in one step and taken from in another".into()),
    };
    run.audit.audit.violations = Invariant::ALL.iter().map(violation).collect();
    let of = |count: usize| html(&vec![Titled { name: "run", run: &run }; count]).unwrap();
    for count in 1..=RUNS_MAX {
        let page = of(count);
        assert!(page.len() < 210_000, "{count} runs: {} bytes", page.len());
        assert_eq!(page.matches("<section").count(), count);
    }
}

#[test]
fn invariants_that_the_source_does_not_tell_of_are_named_everywhere() {
    let is_checked = |of: &&Invariant| not_checked().iter().all(|not| not.invariant != **of);
    let checked = Invariant::ALL.iter().filter(is_checked).copied().collect();
    let passed =
        Audit { verdict: Verdict::Pass, violations: Vec::new(), oversold: 0, ..oversold() };
    let not_checked = not_checked();
    let run = report(Audit { stock_left: None, orders: Some(1), checked, not_checked, ..passed });
    let all = Invariant::ALL.len();
    let verdict =
        format!("NOT OVERSOLD: stock 1, sold 1 ({} of {all} invariants checked)", all - 3);
    let line = "Unchecked  stock_conserved, stock_expected: the units left are not told\n\
                Unchecked  order_ids_unique: the orders' source has no order ids\n";
    for text in [terminal(&run, false), short(&run, false)] {
        assert!(text.contains(line) && text.lines().last() == Some(&*verdict), "{text}");
    }
    let titled = [Titled { name: "run", run: &run }];
    let xml = junit(&titled).unwrap();
    assert_eq!(xml.matches("<skipped message=\"the units left are not told\"/>").count(), 2);
    let page = html(&titled).unwrap();
    assert_eq!(page.matches("Not checked: the units left are not told").count(), 2);
    let summary = summary(&titled).unwrap();
    assert!(
        summary.contains("stock&#95;conserved, stock&#95;expected: the units left"),
        "{summary}"
    );
}

#[test]
fn every_report_says_why_requests_failed_and_what_was_not_checked() {
    let mut run = report(oversold());
    run.requests.cause = Some("the broker had no file left".into());
    run.plan.plan.insecure = true;
    let titled = [Titled { name: "run", run: &run }];
    for text in [html(&titled).unwrap(), junit(&titled).unwrap(), summary(&titled).unwrap()] {
        assert!(text.contains("Cause of the errors"), "{text}");
        assert!(text.contains("the broker had no file left"), "{text}");
        assert!(text.contains("certificate was not checked (--insecure)"), "{text}");
    }
}

#[test]
fn annotation_has_the_first_details_and_says_how_many_there_are() {
    let mut run = report(oversold());
    let violation = &mut run.audit.audit.violations[0];
    violation.cause = None;
    violation.witnesses = (1..=9).map(|number| format!("witness-{number}")).collect();
    let line = &annotations(&run)[0];
    assert!(line.contains("witness-3%0Aand 6 more lines in the reports"), "{line}");
    assert!(!line.contains("witness-4"), "{line}");
}

#[test]
fn summary_names_an_invalid_run_as_such() {
    let mut run = report(oversold());
    run.generator.valid = false;
    let text = summary(&[Titled { name: "run", run: &run }]).unwrap();
    assert!(text.contains("**the run is invalid**: "), "{text}");
    assert!(!text.contains("the run is valid"), "{text}");
}

#[test]
fn summary_and_page_say_what_has_become_of_held_orders() {
    let run = report(oversold());
    let titled = [Titled { name: "run", run: &run }];
    let back = "0 cancelled and 4 expired, whose units came back";
    let text = summary(&titled).unwrap();
    assert!(text.contains(&format!("| Orders | 1 held, 2 paid; {back} |")), "{text}");
    assert!(text.contains("| Payments | paid 2, expired 1, unknown 1 |"), "{text}");
    let page = html(&titled).unwrap();
    let tile = format!("<span>Orders</span><b>1 held, 2 paid</b><span>{back}</span>");
    assert!(page.contains(&tile), "{page}");
    assert!(page.contains(&format!("<td>1 held, 2 paid; {back}</td>")), "{page}");
    // A sale without a hold has none.
    let run = report(Audit { order_ends: None, payments: None, ..oversold() });
    let titled = [Titled { name: "run", run: &run }];
    let text = summary(&titled).unwrap();
    assert!(!text.contains("| Orders |") && !text.contains("| Payments |"), "{text}");
    assert!(!html(&titled).unwrap().contains("<span>Orders</span>"));
}
