//! The help: headings, the order of the flags, short flags, examples.

use super::stdout;
use crate::support::child::seckill;

fn help(words: &[&str]) -> String {
    let output = seckill().args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}");
    stdout(&output)
}

#[test]
fn flags_are_under_headings_with_the_most_used_first_and_examples_last() {
    let help = help(&["bench", "-h"]);
    let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("no {text} in {help}"));
    let headings = ["Target:", "Load:", "Buyers:", "Limits:", "Output:", "Audit:", "Examples:"];
    assert!(headings.map(at).is_sorted(), "{help}");
    let flags = ["-t, --target", "--spawn[", "-c, --threads", "-d, --duration", "-r, --rate"];
    assert!(flags.map(at).is_sorted(), "{help}");
    let output = ["-o, --out", "-q, --quiet", "--html", "-l, --jtl", "--color", "Audit:"];
    assert!(output.map(at).is_sorted(), "{help}");
}

#[test]
fn short_help_of_serve_begins_with_the_address_and_ends_with_colours() {
    let help = help(&["serve", "-h"]);
    let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("no {text} in {help}"));
    let flags = ["Address:", "--listen", "Sale:", "--stock", "Log:", "--color", "Examples:"];
    assert!(flags.map(at).is_sorted(), "{help}");
}

#[test]
fn short_help_names_no_variables() {
    for name in ["bench", "serve"] {
        let help = help(&[name, "-h"]);
        for part in ["[env", "SECKILL_", "SSL_CERT_FILE", "RUST_LOG"] {
            assert!(!help.contains(part), "{part} in {help}");
        }
    }
}

#[test]
fn json_is_described_for_as_many_runs_as_the_command_takes() {
    let (audit, report) = (help(&["audit", "-h"]), help(&["report", "-h"]));
    assert!(report.contains("one after the other"), "{report}");
    assert!(!audit.contains("one after the other"), "{audit}");
}

#[test]
fn long_help_names_variables_and_exit_codes() {
    for words in [&["bench", "--help"][..], &["help", "bench"]] {
        let help = help(words);
        for part in ["[env: SECKILL_THREADS=]", "Examples:", "Exit codes:\n   0  ran", " 130  "] {
            assert!(help.contains(part), "no {part} in {help}");
        }
    }
}

#[test]
fn short_flags_mean_what_other_load_generators_mean() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.current_dir(folder.path()).args(["bench", "--spawn", "--json", "-o", "run"]);
    let output = command.args(["-c", "3", "-d", "300ms", "-l", "run.jtl"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["plan"]["threads"], 3);
    assert_eq!(result["plan"]["duration"], "300ms");
    assert!(folder.path().join("run/run.json").exists() && folder.path().join("run.jtl").exists());
    let mut command = seckill();
    command.current_dir(folder.path()).args(["bench", "--spawn", "-q", "-r", "50/s"]);
    assert_eq!(command.args(["-d", "200ms"]).output().unwrap().status.code(), Some(0));
    let output = seckill().args(["bench", "-t", "nowhere", "-n", "2"]).output().unwrap();
    assert!(super::stderr(&output).contains("--target: `nowhere`"), "{}", super::stderr(&output));
}
