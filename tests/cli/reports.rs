//! The reports of a run: what they say, how large they are, and that nothing in them is obeyed.

use std::path::Path;
use std::process::Command;

use super::{TOKEN, bench, last_line, stderr, stdout};
use crate::support::child::{Serving, seckill};
use crate::support::skip::installed;

const PAGE_LEN_MAX: usize = 200_000;
const REPORTS: [&str; 3] = ["report.html", "junit.xml", "summary.md"];

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Records an oversold run, and returns the last line of its report. If no attempt is accepted when
/// ten are sold and the sale is not known to be sold out yet, the flaw does not show.
fn oversell(folder: &Path) -> String {
    let load = ["--spawn", "--threads", "300", "--stampede", "--out", "run"];
    let load = [&load[..], &["--", "--flaw", "off-by-one"]].concat();
    let runs = (0..10).map(|_| bench(folder, &load));
    let oversold = runs.into_iter().find(|output| output.status.code() == Some(3));
    last_line(&oversold.expect("the flaw shows in one of ten runs"))
}

fn report(folder: &Path, args: &[&str]) -> std::process::Output {
    seckill().arg("report").args(args).current_dir(folder).output().unwrap()
}

/// A page loads nothing and runs nothing.
#[track_caller]
fn assert_harmless(page: &str) {
    assert!(page.len() < PAGE_LEN_MAX, "{} bytes", page.len());
    for part in ["<script", "<link", "<img", "<iframe", "@import", "url(", "src=", "onload"] {
        assert!(!page.contains(part), "{part} in the page");
    }
    for reference in page.split("href=\"").skip(1) {
        assert!(reference.starts_with("#run-"), "{}", &reference[..40]);
    }
}

#[test]
fn reports_of_an_oversold_run_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let verdict = oversell(folder.path());
    assert!(verdict.starts_with("OVERSOLD by "), "{verdict}");
    let [page, junit, summary] = REPORTS.map(|name| read(&folder.path().join("run").join(name)));
    assert_harmless(&page);
    assert!(page.contains(&verdict) && page.contains("✗ broken</span> <code>never_oversold"));
    assert!(summary.starts_with(&format!("### ❌ {verdict}\n")), "{summary}");
    let document = roxmltree::Document::parse(&junit).unwrap();
    let case = document
        .descendants()
        .find(|node| node.attribute("name") == Some("never_oversold"))
        .expect("a case for each invariant");
    assert!(case.children().any(|child| child.has_tag_name("failure")), "{junit}");
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let number = |name: &str| suite.attribute(name).unwrap().parse::<usize>().unwrap();
    let count = |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count();
    assert_eq!((number("tests"), number("failures")), (count("testcase"), count("failure")));
    assert_eq!((number("errors"), number("skipped")), (count("error"), count("skipped")));
}

#[test]
fn recorded_runs_are_reported_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    oversell(folder.path());
    let args = ["run", "run", "--html", "two.html", "--junit", "two.xml", "--summary", "two.md"];
    let output = report(folder.path(), &args);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), String::new()));
    let page = read(&folder.path().join("two.html"));
    assert_harmless(&page);
    assert!(page.contains("2 runs side by side") && page.contains("id=\"run-2\""));
    let suites = read(&folder.path().join("two.xml")).matches("<testsuite ").count();
    assert_eq!((suites, read(&folder.path().join("two.md")).matches("### ").count()), (2, 2));
    let again = report(folder.path(), &["run", "--html", "two.html"]);
    assert_eq!(again.status.code(), Some(2), "{}", stderr(&again));
    assert!(stderr(&again).contains("--html: two.html: it exists"), "{}", stderr(&again));
    assert_eq!(read(&folder.path().join("two.html")), page);
    let five = report(folder.path(), &["run", "run", "run", "run", "run", "--html", "five.html"]);
    assert_eq!(five.status.code(), Some(2), "{}", stderr(&five));
}

#[test]
fn bad_report_file_ends_the_bench_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(folder.path(), &["--admin-token", TOKEN]);
    std::fs::write(folder.path().join("full.xml"), "mine").unwrap();
    std::os::unix::fs::symlink("new/run.json", folder.path().join("link")).unwrap();
    let target = ["--target", &server.url, "--admin-token", TOKEN];
    for (args, code, problem) in [
        (&["--junit", "full.xml"][..], 2, "--junit: full.xml: it exists, and is not overwritten"),
        (&["--html", "missing/page.html"], 1, "cannot write missing/page.html"),
        (&["--out", "run", "--summary", "run/summary.md"], 2, "--out writes it too"),
        (&["--html", "one", "--summary", "one"], 2, "--summary writes it too"),
        (&["--html", "one", "--jtl", "one"], 2, "--jtl writes it too"),
        (&["--jtl", "full.xml"], 2, "--jtl: full.xml: it exists, and is not overwritten"),
        (&["--out", "run", "--jtl", "run/run.json"], 2, "--jtl: run/run.json: --out writes it too"),
        (&["--out", "new", "--jtl", "./new/history.ndjson"], 2, "ndjson: --out writes it too"),
        (&["--out", "new", "--jtl", "new/../new/run.json"], 2, "json: --out writes it too"),
        (&["--out", "new", "--jtl", "link"], 2, "--jtl: link: --out writes it too"),
        (&["--html", "new/run.json", "--jtl", "link"], 2, "--html: new/run.json: --jtl writes it"),
    ] {
        let output = bench(folder.path(), &[&target[..], args].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{message}");
        assert!(message.contains(problem) && message.lines().count() == 1, "{message}");
    }
    assert_eq!(read(&folder.path().join("full.xml")), "mine");
    assert!(!folder.path().join("one").exists(), "a file that was not written was left");
    let output = bench(folder.path(), &[&target[..], &["--html", "page.html"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 accepted"), "an earlier bench sent something");
    assert_harmless(&read(&folder.path().join("page.html")));
}

#[test]
fn job_of_github_gets_a_summary_and_annotations() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("job.md");
    std::fs::write(&summary, "before\n").unwrap();
    let mut command = seckill();
    command.args(["bench", "--spawn", "--json", "--threads", "300", "--stampede"]);
    command.args(["--fail-if", "p50>1us"]);
    command.args(["--", "--flaw", "off-by-one"]).current_dir(folder.path());
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().unwrap();
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["audit"]["verdict"], "fail");
    let said = stderr(&output);
    let annotated = |line: &str| said.lines().any(|said| said.starts_with(line));
    assert!(annotated("::error title=seckill%3A Invariant broken%3A never_oversold::"), "{said}");
    assert!(annotated("::error title=seckill%3A Threshold crossed%3A p50>1us::"), "{said}");
    let text = read(&summary);
    assert!(text.starts_with("before\n### ❌ OVERSOLD by "), "{text}");
}

#[test]
fn job_of_github_is_told_why_there_was_no_run() {
    for (flags, code, problem) in [
        (["--target", "http://127.0.0.1:1"], 1, "no server answers at http://127.0.0.1:1: "),
        (["--fail-if", "p99>50"], 2, "--fail-if: a limit that does not fit p99: 50%0A"),
    ] {
        let mut command = seckill();
        command.arg("bench").args(flags).env("GITHUB_ACTIONS", "true");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        let annotation = format!("::error title=seckill::{problem}");
        let said = stderr(&output);
        assert!(said.lines().any(|line| line.starts_with(&annotation)), "{said}");
    }
}

#[test]
fn folder_with_other_reports_or_the_baseline_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("keep");
    std::fs::create_dir(&keep).unwrap();
    let load = ["--spawn", "--threads", "2", "--out"];
    for name in ["report.html", "run.json"] {
        std::fs::write(keep.join(name), "{}").unwrap();
        let output = bench(folder.path(), &[&load[..], &["keep"]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let problem = format!("--out: keep/{name} is there, and no recorded run");
        assert!(stderr(&output).contains(&problem), "{}", stderr(&output));
        assert_eq!(read(&keep.join(name)), "{}");
        std::fs::remove_file(keep.join(name)).unwrap();
    }
    for code in [0, 0] {
        let output = bench(folder.path(), &[&load[..], &["run"]].concat());
        assert_eq!(output.status.code(), Some(code), "a recorded run is replaced");
    }
    let baseline = ["./run/../run", "--baseline", "run", "--fail-if", "p99>9x"];
    let output = bench(folder.path(), &[&load[..], &baseline].concat());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let problem = "--out: is the --baseline, which it would replace";
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

#[test]
fn page_shows_its_verdict_in_a_browser() {
    if !installed(&["chromium"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let verdict = oversell(folder.path());
    let mut browser = Command::new("chromium");
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
    browser.args(["--disable-background-networking", "--disable-component-update"]);
    browser.args(["--disable-sync", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    browser.arg(format!("file://{}", folder.path().join("run/report.html").display()));
    let output = browser.output().unwrap();
    let dom = stdout(&output);
    let heading = dom.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next());
    let heading = heading.unwrap_or_else(|| panic!("no heading in {dom}{}", stderr(&output)));
    assert!(heading.contains(&format!("<span class=\"words\">{verdict}</span>")), "{heading}");
    assert_eq!(dom.matches("<svg").count(), dom.matches("role=\"img\"").count());
}

/// The words of the command that a page shows, as a shell reads them.
fn shown_command(page: &str) -> Vec<String> {
    let after = page.split("the command that runs it again</h2>\n<pre>").nth(1).unwrap();
    let command = after.split("</pre>").next().unwrap().strip_prefix("seckill bench").unwrap();
    let escaped = [("&#62;", ">"), ("&#60;", "<"), ("&#39;", "'"), ("&#34;", "\""), ("&#38;", "&")];
    let plain = escaped.iter().fold(command.to_owned(), |text, (is, was)| text.replace(is, was));
    let script = format!("printf '%s\\n' {plain}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{script}: {}", stderr(&output));
    stdout(&output).lines().map(str::to_owned).collect()
}

#[test]
fn shown_command_repeats_a_run_that_is_judged_by_a_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let load = ["--spawn", "--threads", "5", "--loops", "4"];
    let base = bench(folder.path(), &[&load[..], &["--out", "the base"]].concat());
    assert_eq!(base.status.code(), Some(0), "{}", stderr(&base));
    let relative = ["--baseline", "./the base", "--fail-if", "max<1000000x", "--out", "head"];
    let head = bench(folder.path(), &[&load[..], &relative].concat());
    assert_eq!(head.status.code(), Some(99), "{}", stderr(&head));
    let page = read(&folder.path().join("head/report.html"));
    assert!(page.contains("--baseline=./the base") && !page.contains("add its --baseline"));
    let words = shown_command(&page);
    let again = bench(folder.path(), &words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(99), "{words:?}: {}", stderr(&again));
}
