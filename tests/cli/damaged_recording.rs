//! A recording that is damaged, or of a newer version, is an error that names the file and the
//! problem.

use std::path::Path;

use seckill::history::VERSION;

use super::outputs::FILES;
use super::{bench, recorded, stderr, stdout};

/// A recorded run that passed.
fn recording() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--spawn", "--threads", "20", "--loops", "2", "--out", "."];
    let output = bench(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    folder
}

/// Checks that each of `verbs` fails with one line that names the file and says this of it.
#[track_caller]
fn assert_error(verbs: &[&str], run: &Path, file: &str, problem: &str) {
    for verb in verbs {
        for args in [&[][..], &["--json"], &["--quiet"]] {
            let output = recorded(verb, run, args);
            let printed = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{verb} {file} {problem}: {printed}");
            assert_eq!(stdout(&output), "", "{verb} {file}");
            assert_eq!(printed.lines().count(), 1, "{verb} {file}: {printed}");
            let named = format!("seckill: {}: ", run.join(file).display());
            assert!(printed.starts_with(&named), "{verb} {file}: {printed}");
            assert!(printed.contains(problem), "{verb} {file}: no {problem} in {printed}");
        }
    }
}

/// What reads this file.
fn readers(file: &str) -> &'static [&'static str] {
    if file == "run.json" { &["audit", "report"] } else { &["audit"] }
}

/// The files of the folder that are read again.
const READ: [&str; 4] = ["run.json", "history.ndjson", "ledger-before.ndjson", "ledger.ndjson"];

#[test]
fn missing_folder_or_file_is_an_error() {
    let run = recording();
    let nowhere = run.path().join("nowhere");
    assert_error(&["audit", "report"], &nowhere, "run.json", "there is no such file");
    for verb in ["audit", "report"] {
        let output = recorded(verb, &run.path().join("latency.hgrm"), &[]);
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{verb}: {printed}");
        assert!(printed.contains("latency.hgrm: it is a file: name the folder"), "{printed}");
    }
    for file in READ {
        let path = run.path().join(file);
        let content = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_error(readers(file), run.path(), file, "there is no such file");
        std::fs::create_dir(&path).unwrap();
        assert_error(readers(file), run.path(), file, "not a regular file");
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, content).unwrap();
    }
    // The other files are for people and other programs.
    for file in FILES.iter().filter(|file| !READ.contains(file)) {
        std::fs::remove_file(run.path().join(file)).unwrap();
    }
    assert_eq!(recorded("audit", run.path(), &[]).status.code(), Some(0));
}

#[test]
fn file_that_was_cut_off_is_an_error() {
    let run = recording();
    for file in READ {
        let path = run.path().join(file);
        let whole = std::fs::read(&path).unwrap();
        let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let problem = |end: usize| match file {
            "run.json" if end == 0 => "it is empty".to_owned(),
            "run.json" => "it is not the result of a run: EOF while parsing".to_owned(),
            _ => {
                let whole_lines = whole[..end].iter().filter(|byte| **byte == b'\n').count();
                format!("was cut off after line {whole_lines}")
            }
        };
        // The last line of a result is its last bracket alone.
        let cuts = [0, 1, first_line, whole.len() / 3, whole.len() / 2, whole.len() - 2];
        for end in cuts {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert_error(readers(file), run.path(), file, &problem(end));
        }
        std::fs::write(&path, whole).unwrap();
    }
}

#[test]
fn file_with_other_content_is_an_error() {
    let run = recording();
    for (file, problem) in [
        ("run.json", "it is not the result of a run: expected value at line 1 column 1"),
        ("history.ndjson", "line 1: not JSON"),
        ("ledger-before.ndjson", "line 1 of the ledger is invalid"),
        ("ledger.ndjson", "line 1 of the ledger is invalid"),
    ] {
        let path = run.path().join(file);
        let content = std::fs::read(&path).unwrap();
        for garbage in ["garbage\n", "\0\u{1b}[31m\n", "]\n"] {
            std::fs::write(&path, garbage).unwrap();
            assert_error(readers(file), run.path(), file, problem);
        }
        std::fs::write(&path, "\n".repeat(3)).unwrap();
        assert_error(readers(file), run.path(), file, "");
        std::fs::write(&path, "{}\n").unwrap();
        assert_error(readers(file), run.path(), file, "");
        std::fs::write(&path, content).unwrap();
    }
}

#[test]
fn file_of_another_run_is_an_error() {
    let (run, other) = (recording(), recording());
    for file in ["history.ndjson", "ledger-before.ndjson", "ledger.ndjson"] {
        let path = run.path().join(file);
        let content = std::fs::read(&path).unwrap();
        std::fs::copy(other.path().join(file), &path).unwrap();
        if std::fs::read(&path).unwrap() != content {
            assert_error(&["audit"], run.path(), file, "belongs to another run");
        }
        std::fs::write(&path, content).unwrap();
    }
    std::fs::copy(other.path().join("run.json"), run.path().join("run.json")).unwrap();
    assert_error(&["audit"], run.path(), "history.ndjson", "belongs to another run");
}

#[test]
fn other_version_is_an_error() {
    let run = recording();
    let replace = |file: &str, from: &str, to: &str| {
        let path = run.path().join(file);
        let content = std::fs::read_to_string(&path).unwrap();
        assert!(content.contains(from), "no {from} in {content}");
        std::fs::write(&path, content.replacen(from, to, 1)).unwrap();
    };
    let version = format!("\"history\":{VERSION}");
    replace("history.ndjson", &version, "\"history\":99");
    assert_error(&["audit"], run.path(), "history.ndjson", "its version is 99");
    assert_error(&["audit"], run.path(), "history.ndjson", "use the seckill that wrote it");
    assert_eq!(recorded("report", run.path(), &[]).status.code(), Some(0));
    replace("run.json", "\"schema\": 1", "\"schema\": 99");
    assert_error(&["audit", "report"], run.path(), "run.json", "its schema is 99");
    assert_error(&["audit", "report"], run.path(), "run.json", "use a newer seckill");
}

#[test]
fn control_characters_of_a_damaged_result_do_not_reach_the_terminal() {
    let run = recording();
    let path = run.path().join("run.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let damaged =
        whole.replace("\"settle_from\": \"ledger\"", "\"settle_from\": \"\\u001b[2J\\n\"");
    assert_ne!(damaged, whole);
    std::fs::write(&path, damaged).unwrap();
    let problem = "it is not the result of a run: unknown variant `\\u{1b}[2J\\n`";
    assert_error(&["audit", "report"], run.path(), "run.json", problem);
}

#[test]
fn impossible_figures_do_not_break_the_report() {
    let run = recording();
    let path = run.path().join("run.json");
    let whole = std::fs::read_to_string(&path).unwrap();
    let mut result: serde_json::Value = serde_json::from_str(&whole).unwrap();
    result["latency_bins"][0]["count"] = u64::MAX.into();
    std::fs::write(&path, result.to_string()).unwrap();
    let report = recorded("report", run.path(), &[]);
    assert_eq!(report.status.code(), Some(0), "{}", stderr(&report));
}

/// An attempt of a user that the recorded run does not have.
const NOT_SENT: &str = r#"{"thread":20,"index":0,"answered":"lost","sent_us":1,"answered_us":2}"#;

#[test]
fn audit_names_the_wrong_line_of_each_file() {
    let run = recording();
    for (file, line, problem) in [
        ("history.ndjson", NOT_SENT, "line 2: the attempt is not among those"),
        ("ledger-before.ndjson", "{\"sale\":{}}", "line 2 of the ledger is invalid: "),
        ("ledger.ndjson", "{\"status\":\"won\"}", "line 2 of the ledger is invalid: "),
    ] {
        let path = run.path().join(file);
        let whole = std::fs::read_to_string(&path).unwrap();
        let (first, rest) = whole.split_once('\n').unwrap();
        std::fs::write(&path, format!("{first}\n{line}\n{rest}")).unwrap();
        assert_error(&["audit"], run.path(), file, problem);
        std::fs::write(&path, whole).unwrap();
    }
    assert_eq!(recorded("audit", run.path(), &[]).status.code(), Some(0));
}
