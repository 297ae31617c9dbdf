//! Where a value came from: the flag, the variable or the line that is told of is the one that has
//! it.

use super::mistakes::assert_told;
use super::{bench, stderr, stdout};
use crate::support::child::seckill;

#[test]
fn variable_with_a_mistake_is_named() {
    let cases: &[(&str, &str, &[&str], &str)] = &[
        ("TARGET", "http://a:b", &["bench"], "SECKILL_TARGET from the environment: the port `b`"),
        ("THREADS", "0", &["bench"], "SECKILL_THREADS from the environment: must be at least 1"),
        ("THREADS", "many", &["bench"], "for 'SECKILL_THREADS from the environment': `many` is"),
        ("THREADS", "", &["bench"], "for 'SECKILL_THREADS from the environment'"),
        ("ADMIN_TOKEN", "", &["bench"], "SECKILL_ADMIN_TOKEN from the environment: the token is"),
        ("ADMIN_TOKEN", "", &["serve"], "SECKILL_ADMIN_TOKEN from the environment: the token is"),
        ("ADMIN_TOKEN", "a\n", &["serve"], "the environment: the token has a line break or"),
        ("BROKER_FILES", "5", &["lab", "--", "true"], "SECKILL_BROKER_FILES from the environment"),
        ("LISTEN", "host", &["serve"], "SECKILL_LISTEN from the environment: `host` has no port"),
        ("LOG", "loud", &["serve"], "SECKILL_LOG from the environment: `loud` is not a level"),
        ("FLAW", "none", &["serve"], "for 'SECKILL_FLAW from the environment'"),
        ("QUEUE", "amqp://h:port", &["serve"], "SECKILL_QUEUE from the environment: is not of the"),
        ("STORE", "redis://h:port", &["serve"], "SECKILL_STORE from the environment: is not of"),
        ("QUEUE", "amqp://h:port", &["bench", "--spawn"], "SECKILL_QUEUE from the environment: is"),
        // The flag wins, and is what is wrong.
        ("THREADS", "5", &["bench", "--threads", "0"], "--threads: must be at least 1"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, value, words, told) in cases {
        let mut command = seckill();
        command.current_dir(folder.path()).env(format!("SECKILL_{name}"), value).args(*words);
        assert_told(&command.output().unwrap(), 2, told);
    }
    for (filter, word) in [("loud", "loud"), ("seckill=loud", "loud"), ("info,seckill=x", "x")] {
        // A server whose filter is not refused ends as well.
        let words = ["serve", "--data", "/proc/no-such-folder"];
        let output = seckill().env("RUST_LOG", filter).args(words).output().unwrap();
        assert_told(&output, 2, &format!("RUST_LOG from the environment: `{word}` is not a level"));
    }
}

/// A file or folder that cannot be used, wherever its name comes from.
#[test]
fn source_of_a_path_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("old.html", "a report");
    let cases: &[(&str, &str, i32, &str)] = &[
        ("profile", "nowhere.toml", 1, "cannot read the profile nowhere.toml: No such file"),
        ("baseline", "nowhere", 1, "nowhere/run.json: there is no such file"),
        ("out", "/proc/x", 1, "cannot write /proc/x: "),
        ("jtl", "/proc/x", 1, "cannot write /proc/x: "),
        ("html", "old.html", 2, "old.html: it exists, and is not overwritten"),
        ("junit", "/proc/x", 1, "cannot write /proc/x: "),
        ("summary", "-", 2, "`-` does not stand for stdout: name a file"),
    ];
    for (flag, path, code, problem) in cases {
        let bench = || {
            let mut command = seckill();
            command.current_dir(folder.path()).args(["bench", "--spawn"]);
            if *flag == "baseline" {
                command.args(["--fail-if", "p99>1.2x"]);
            }
            command
        };
        let variable = format!("SECKILL_{}", flag.to_uppercase());
        let output = bench().env(&variable, path).output().unwrap();
        assert_told(&output, *code, &format!("{variable} from the environment: {problem}"));
        let output = bench().arg(format!("--{flag}={path}")).output().unwrap();
        assert_told(&output, *code, &format!("--{flag}: {problem}"));
        if *flag != "profile" {
            file("p.toml", &format!("loops = 1\n{flag} = \"{path}\"\n"));
            let output = bench().args(["--profile", "p.toml"]).output().unwrap();
            assert_told(&output, *code, &format!("{flag} in p.toml:2: {problem}"));
        }
    }
    assert!(bench(folder.path(), &["--spawn", "--out", "run"]).status.success());
    let mut report = seckill();
    report.current_dir(folder.path()).args(["report", "run", "--html", "-"]);
    assert_told(&report.output().unwrap(), 2, "--html: `-` does not stand for stdout: name a file");
    assert!(!folder.path().join("-").exists());
}

#[test]
fn line_of_a_profile_is_named_when_flags_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\nthreads = 5\ntarget = \"http://a:b\"\n";
    std::fs::write(folder.path().join("ci.toml"), text).unwrap();
    let profile = ["--profile", "ci.toml"];
    let output = bench(folder.path(), &profile);
    assert_told(&output, 2, "target in ci.toml:3: the port `b` of");
    let output = bench(folder.path(), &[&profile[..], &["--rate", "5/s"]].concat());
    assert_told(&output, 2, "threads in ci.toml:2: with a rate it is --max-threads");
    let values = [
        ("loops = 1\n\nthreads = \"x\"\n", "threads in ci.toml:3: `x` is not a count"),
        ("threads = -1\n", "threads in ci.toml:1: `-1` is not a count"),
        ("threads = true\n", "threads in ci.toml:1: invalid type: boolean `true`, expected a"),
        ("[server]\nqueue = \"amqp://h:port\"\n", "queue in ci.toml:2: is not of the form amqp"),
        ("[server]\nstock = \"abc\"\n", "stock in ci.toml:2: `abc` is not a count"),
        ("fail-if = [\n  \"p99>1s\",\n  5,\n]\n", "fail-if in ci.toml:3: invalid type: integer"),
        ("fail-if = [\n  \"p99>1s\",\n  \"p9>1s\",\n]\n", "fail-if in ci.toml:3: p9 is no metric"),
        ("abort-on = [\n  \"p99>1s\",\n  \"gini>1\",\n]\n", "abort-on in ci.toml:3: gini is known"),
        (
            "zzzzz = 1\n",
            "ci.toml:1: unknown key `zzzzz`: the keys are the flags of 'seckill bench'",
        ),
    ];
    for (text, told) in values {
        std::fs::write(folder.path().join("ci.toml"), text).unwrap();
        assert_told(&bench(folder.path(), &profile), 2, told);
    }
    let text = "stage = \"1s:5\"\n[server]\nflaw = \"no-dedupe\"\n";
    std::fs::write(folder.path().join("ci.toml"), text).unwrap();
    let output = bench(folder.path(), &profile);
    assert_told(&output, 2, "ci.toml:3: `flaw` is a list: write flaw = [\"no-dedupe\"]");
    std::fs::write(folder.path().join("ci.toml"), "stage = \"1s:5\"\n").unwrap();
    let output = bench(folder.path(), &profile);
    assert_told(&output, 2, "ci.toml:1: `stage` is a list: write stage = [\"1s:5\"]");
}

#[test]
fn unknown_variable_is_warned_about_unless_output_is_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let warning = "SECKILL_THREDS in the environment sets nothing: the nearest is SECKILL_THREADS";
    for (more, is_warned) in [(&[][..], true), (&["--json"], false), (&["--quiet"], false)] {
        let mut command = seckill();
        command.current_dir(folder.path()).env("SECKILL_THREDS", "5").args(["bench", "--spawn"]);
        let output = command.args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stderr(&output).contains(warning), is_warned, "{}", stderr(&output));
        assert!(!stdout(&output).contains("SECKILL_THREDS"), "{}", stdout(&output));
    }
    let output = seckill().env("SECKILL_ZZZZZ", "5").args(["audit", "nowhere"]).output().unwrap();
    assert_told(&output, 1, "SECKILL_ZZZZZ in the environment sets nothing: no flag reads it");
}

#[test]
fn spawned_server_takes_no_flags_that_were_meant_for_another_server() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    for (server, stock) in [(&[][..], 10), (&["--", "--stock", "7"], 7)] {
        let mut command = seckill();
        command.current_dir(folder.path()).env("SECKILL_STOCK", "50").env("SECKILL_LISTEN", ":1");
        command.env("SECKILL_DATA", &elsewhere).args(["bench", "--spawn", "--threads", "20"]);
        let output = command.args(server).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let verdict = format!("NOT OVERSOLD: stock {stock}, sold {stock}, left 0");
        assert!(stdout(&output).contains(&verdict), "{}", stdout(&output));
        let told = "SECKILL_STOCK in the environment does not reach the spawned server";
        assert!(stderr(&output).contains(told), "{}", stderr(&output));
        assert!(!elsewhere.exists());
    }
}
