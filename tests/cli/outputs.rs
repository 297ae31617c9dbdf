//! The output files of a run agree with its report; one that cannot be written is reported.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::disk_full::SmallDisk;
use super::{TOKEN, bench, last_line, recorded, stderr, stdout};
use crate::support::child::Serving;
use crate::support::scripted::{Reply, Scripted, answer};
use crate::support::skip::skip;

/// JMeter's default columns.
const COLUMNS: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,\
                       success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,\
                       IdleTime,Connect";

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a bench that must succeed, and returns its result.
#[track_caller]
fn result(folder: &Path, args: &[&str]) -> Value {
    let output = bench(folder, &[&["--spawn", "--json"], args].concat());
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    // A busy machine makes a run invalid, and its files are written all the same.
    let code = if result["generator"]["valid"] == true { 0 } else { 5 };
    assert_eq!(output.status.code(), Some(code), "{}{}", stderr(&output), stdout(&output));
    result
}

/// The files of a recorded run, sorted.
pub(super) const FILES: [&str; 10] = [
    "history.ndjson",
    "junit.xml",
    "latency-corrected.hgrm",
    "latency.hgrm",
    "latency.hlog",
    "ledger-before.ndjson",
    "ledger.ndjson",
    "report.html",
    "run.json",
    "summary.md",
];

/// A load with retries, double clicks, and a schedule with intended times.
const LOAD: &[&str] = &["--rate", "150/s", "--duration", "2500ms", "--arrival", "poisson"];
const MORE: &[&str] = &["--double-click", "20%", "--retry", "2", "--seed", "3"];

#[test]
fn out_folder_holds_result_and_latencies() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/run");
    let args = [LOAD, MORE, &["--out", "new/run"]].concat();
    let result = result(folder.path(), &args);
    let run: Value = serde_json::from_str(&read(out.join("run.json"))).unwrap();
    assert_eq!(run, result);
    for (file, section) in
        [("latency.hgrm", "latency_us"), ("latency-corrected.hgrm", "latency_corrected_us")]
    {
        let table = read(out.join(file));
        let (max, count) = max_and_count(&table);
        assert_eq!(result[section]["count"], count, "{table}");
        // In milliseconds, with a resolution of a microsecond.
        let max_us = result[section]["max"].as_f64().unwrap();
        assert!((max * 1e3 - max_us).abs() < 1.5, "{max} ms, {max_us} µs");
        assert_rising(&table);
    }
    let files = std::fs::read_dir(&out).unwrap().map(|file| file.unwrap().file_name());
    let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, FILES);
}

/// The figures in the last lines of a table.
fn max_and_count(table: &str) -> (f64, u64) {
    let line = table.lines().find(|line| line.starts_with("#[Max")).unwrap();
    let mut numbers = line.split(['=', ',', ']']).filter_map(|part| part.trim().parse().ok());
    let (max, count): (f64, f64) = (numbers.next().unwrap(), numbers.next().unwrap());
    (max, count as u64)
}

/// Values, percentiles and counts never decrease, and the last row covers all samples.
fn assert_rising(table: &str) {
    let mut lines = table.lines();
    let head: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]);
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows: Vec<Vec<f64>> = rows
        .map(|row| row.split_whitespace().map(|number| number.parse().unwrap()).collect())
        .collect();
    for column in 0..3 {
        assert!(rows.is_sorted_by_key(|row| row[column]), "{table}");
    }
    let last = rows.last().unwrap();
    assert_eq!((last[1], last[2] as u64), (1.0, max_and_count(table).1), "{table}");
}

#[test]
fn jtl_has_one_line_per_request_and_agrees_with_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let server = ["--", "--rate-limit", "50/s"];
    let result = result(folder.path(), &[LOAD, MORE, &["--jtl", "run.jtl"], &server].concat());
    let jtl = read(folder.path().join("run.jtl"));
    let (head, lines) = jtl.split_once('\n').unwrap();
    assert_eq!(head, COLUMNS);
    let columns: Vec<_> = COLUMNS.split(',').collect();
    let row = |line: &str| -> HashMap<&str, String> {
        let fields: Vec<_> = line.split(',').map(str::to_owned).collect();
        assert_eq!(fields.len(), columns.len(), "{line}");
        columns.iter().copied().zip(fields).collect()
    };
    let rows: Vec<_> = lines.lines().map(row).collect();
    let requests = &result["requests"];
    let with = |column: &str, value: &str| rows.iter().filter(|row| row[column] == value).count();
    let sum = |column: &str| rows.iter().map(|row| row[column].parse::<u64>().unwrap()).sum();
    let sum_of = |column| -> u64 { sum(column) };
    assert_eq!(requests["total"], rows.len());
    assert_eq!(requests["errors"], with("success", "false"));
    assert_eq!(requests["bytes_received"], sum_of("bytes"));
    assert_eq!(requests["bytes_sent"], sum_of("sentBytes"));
    assert_eq!(requests["by_outcome"]["rate_limited"], with("responseCode", "429"));
    assert_eq!(requests["double_clicks"], with("label", "POST /seckill (double click)"));
    let retries = with("label", "POST /seckill (retry)");
    assert_eq!(requests["retries"]["total"], retries);
    assert!(retries > 0 && with("responseMessage", "Too Many Requests") > 0, "{requests:#}");
    // Both ends are readings of a clock with a resolution of a millisecond.
    let mean_us = result["latency_us"]["mean"].as_f64().unwrap();
    let elapsed_ms = sum_of("elapsed") as f64 / rows.len() as f64;
    assert!((elapsed_ms * 1e3 - mean_us).abs() < 1_000.0, "{elapsed_ms} {mean_us}");
    let began = |row: &HashMap<&str, String>| row["timeStamp"].parse::<u64>().unwrap();
    let (first, last) = (rows.iter().map(began).min(), rows.iter().map(began).max());
    let started = humantime::parse_rfc3339(result["started"].as_str().unwrap()).unwrap();
    let started = started.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    assert!(first.unwrap() >= started && last.unwrap() - first.unwrap() >= 1_000);
}

#[test]
fn unwritable_output_path_is_reported_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("data"), &["--admin-token", TOKEN]);
    std::fs::write(folder.path().join("file"), "").unwrap();
    let common = ["--target", &server.url, "--admin-token", TOKEN, "--threads", "3"];
    let cases = [
        ("--jtl", "nowhere/run.jtl", "nowhere/run.jtl"),
        ("--jtl", "/dev/full", "/dev/full"),
        ("--out", "file", "file"),
        ("--out", "file/run", "file/run"),
    ];
    for (flag, path, named) in cases {
        let output = bench(folder.path(), &[&common[..], &[flag, path]].concat());
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{flag} {path}: {printed}");
        assert!(printed.contains(&format!("cannot write {named}: ")), "{flag} {path}: {printed}");
        assert_eq!(stdout(&output), "", "{flag} {path}");
    }
    let output = bench(folder.path(), &[&common[..], &["--json"]].concat());
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["audit"]["stock_left_before"], 10, "one of these runs sent attempts");
}

#[test]
fn output_disk_filling_up_is_reported_after_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let load = ["--spawn", "--threads", "4", "--loops", "500"];
    for (flag, name) in [("--jtl", "run.jtl"), ("--out", "run")] {
        // The size is in whole pages: once the log has one, no page is left for another file.
        let Some(disk) = SmallDisk::mount("4k") else {
            skip("only root may mount the small file system that it fills");
            return;
        };
        let path = disk.path().join(name);
        let path = path.to_str().unwrap();
        let output = bench(folder.path(), &[&load[..], &[flag, path]].concat());
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{flag}: {printed}");
        assert_eq!(last_line(&output), "NOT OVERSOLD: stock 10, sold 10, left 0", "{flag}");
        assert!(printed.contains(&format!("cannot write {path}")), "{flag}: {printed}");
        assert!(printed.contains("No space left on device"), "{flag}: {printed}");
    }
}

#[test]
fn disk_that_fills_up_after_the_load_leaves_a_recording_that_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let load = ["--spawn", "--threads", "4", "--loops", "1500", "--out"];
    // Full with the history, of 300 KiB; and with the ledger, of 1.5 MiB.
    for (size, file, code) in [("128k", "history.ndjson", 1), ("1m", "ledger.ndjson", 4)] {
        let Some(disk) = SmallDisk::mount(size) else {
            skip("only root may mount the small file system that it fills");
            return;
        };
        let run = disk.path().join("run");
        let args = [&load[..], &[run.to_str().unwrap(), "--", "--stock", "100k"]].concat();
        let output = bench(folder.path(), &args);
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{file}: {printed}");
        assert!(last_line(&output).starts_with("NOT OVERSOLD"), "{file}: {}", stdout(&output));
        let problem = format!("cannot write {}: No space left", run.join(file).display());
        assert!(printed.contains(&problem), "{file}: {printed}");
        let audit = recorded("audit", &run, &[]);
        assert_eq!(audit.status.code(), Some(code), "{}{}", stderr(&audit), stdout(&audit));
        let report = recorded("report", &run, &[]);
        assert_eq!(report.status.code(), Some(0), "{file}: {}", stderr(&report));
        assert!(last_line(&report).starts_with("UNKNOWN, not a pass"), "{}", stdout(&report));
        let unfinished = std::fs::read_dir(&run).unwrap().map(|file| file.unwrap().path());
        let unfinished = unfinished.filter(|path| path.extension() == Some("new".as_ref()));
        assert_eq!(unfinished.count(), 0, "{file}");
    }
}

#[test]
fn files_of_an_earlier_run_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    std::fs::create_dir(&out).unwrap();
    let unfinished = ["history.ndjson.new", "run.json.new"];
    let former = "of a former run ".repeat(10_000);
    for file in FILES.into_iter().chain(unfinished) {
        std::fs::write(out.join(file), format!("{{\"schema\":1,\"is\":\"{former}\"}}")).unwrap();
    }
    let result = result(folder.path(), &["--threads", "2", "--out", "run"]);
    assert_eq!(serde_json::from_str::<Value>(&read(out.join("run.json"))).unwrap(), result);
    assert!(unfinished.iter().all(|file| !out.join(file).exists()));
    for file in FILES {
        assert!(!read(out.join(file)).contains("former"), "{file}");
    }
}

#[test]
fn page_of_the_broker_that_cannot_be_read_is_reported_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::always(Reply::Bytes(answer(200, "", "open_files 3\n")));
    let page = format!("{}/metrics", server.url());
    for (url, shown, reason) in [
        ("http://guest:hidden@127.0.0.1:1/", "http://127.0.0.1:1/", "Connection refused"),
        (&page, &page, "its page lacks rabbitmq_connections"),
    ] {
        let load = ["--spawn", "--rate", "20/s", "--duration", "1500ms", "--quiet"];
        let output = bench(folder.path(), &[&load[..], &["--broker-metrics", url]].concat());
        let printed = stderr(&output);
        let told = format!("the broker's figures cannot be read from {shown}: {reason}");
        assert!(printed.starts_with(&told), "{printed}");
        assert_eq!(printed.lines().count(), 1, "{printed}");
        assert!(matches!(output.status.code(), Some(0 | 5)), "{}", stdout(&output));
    }
    assert!(server.requests().len() > 1, "the page is read again during the run");
}

/// A Python with the package `hdrhistogram`: the one from `tests/setup.sh`, or the machine's.
fn python() -> Option<PathBuf> {
    let of_tests = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let of_tests = of_tests.join("python/bin/python3");
    let has_reader = |python: &PathBuf| {
        let output = Command::new(python).args(["-c", "import hdrh.log"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    [of_tests, "python3".into()].into_iter().find(has_reader)
}

#[test]
fn another_hdr_implementation_reads_the_same_values() {
    let Some(python) = python() else {
        skip("needs python3 with the package hdrhistogram; tests/setup.sh installs it");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    // Implementations round the rank of a percentile differently, but agree where the rank is a
    // whole number, as it is for 500 requests.
    let load = ["--rate", "200/s", "--duration", "2500ms", "--out", "run"];
    let result = result(folder.path(), &load);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/read_hlog.py");
    let log = folder.path().join("run/latency.hlog");
    let output = Command::new(python).arg(script).arg(log).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (tag, section) in [("", "latency_us"), ("corrected", "latency_corrected_us")] {
        assert_eq!((&read[tag]["count"], &result[section]["count"]), (&500.into(), &500.into()));
        for key in ["p50", "p90", "p99", "max"] {
            let (theirs, ours) = (read[tag][key].as_f64(), result[section][key].as_f64());
            let (theirs, ours) = (theirs.unwrap(), ours.unwrap());
            assert!((theirs - ours).abs() <= ours / 1e3 + 1.0, "{tag} {key}: {theirs} {ours}");
        }
    }
    // Each row covers a second; there are as many rows with the tag as without.
    assert!(read[""]["rows"].as_u64() >= Some(2), "{read:#}");
    assert_eq!(read["corrected"]["rows"], read[""]["rows"]);
    let started = humantime::parse_rfc3339(result["started"].as_str().unwrap()).unwrap();
    let started = started.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let log_started = read["started"].as_f64().unwrap();
    assert!((started..started + 60.0).contains(&(log_started + 0.001)), "{started} {log_started}");
}

#[test]
fn two_runs_do_not_write_to_one_folder_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    std::fs::create_dir(&out).unwrap();
    let other = std::fs::File::open(&out).unwrap();
    other.lock().unwrap();
    let output = bench(folder.path(), &["--spawn", "--out", "run"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = "cannot write run: another run writes to it: wait for that, or name another folder";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "it is as it was");
    drop(other);
    result(folder.path(), &["--out", "run"]);
}
