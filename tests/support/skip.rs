//! Skipping what this machine cannot test. Each skip is a line on stderr that names the test and
//! the reason; `tests/run.sh` counts these lines.

use std::io::Write;

use seckill::lab::is_installed;

/// Reports that the calling test is skipped.
pub(crate) fn skip(why: &str) {
    report("skipped", why);
}

/// Whether all of these programs are installed; reports the calling test as skipped if not.
pub(crate) fn installed(programs: &[&str]) -> bool {
    let missing = missing(programs);
    if !missing.is_empty() {
        skip(&reasons(&missing));
    }
    missing.is_empty()
}

/// Those of these programs that are not installed. If there are any, reports that the calling test
/// runs without the variants that need them.
pub(crate) fn missing_for_variants<'a>(programs: &[&'a str]) -> Vec<&'a str> {
    let missing = missing(programs);
    if !missing.is_empty() {
        report("skipped in part", &reasons(&missing));
    }
    missing
}

fn missing<'a>(programs: &[&'a str]) -> Vec<&'a str> {
    programs.iter().copied().filter(|program| !is_installed(program)).collect()
}

fn reasons(missing: &[&str]) -> String {
    missing.iter().map(|program| format!("{program} not installed")).collect::<Vec<_>>().join(", ")
}

/// Writes to stderr directly in one call: the test harness hides what passing tests print with
/// `eprintln!`, and lines of parallel tests must not be mixed.
fn report(kind: &str, why: &str) {
    // The harness names each test's thread after the test.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("unnamed test");
    let line = format!("{kind}: {test} ({why})\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
