//! `seckill lab`: the exit code of its command, the variables that it sets, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Output, Stdio};

use rustix::process::Signal;

use super::{ask, assert_nothing_left, connect, entries};
use crate::support::child::{seckill, signal, wait};
use crate::support::skip::installed;

fn lab(args: &[&str]) -> Output {
    let temp = tempfile::tempdir().unwrap();
    let output = seckill().arg("lab").args(args).env("TMPDIR", temp.path()).output().unwrap();
    assert!(entries(temp.path()).is_empty(), "it left {:?}", entries(temp.path()));
    output
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A lab with Redis that has printed the first line of its stdout.
fn started(temp: &Path, args: &[&str]) -> (Child, String) {
    let mut command = seckill();
    command.args(["lab", "--with", "redis"]).args(args).env("TMPDIR", temp);
    let mut lab = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(lab.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (lab, line.trim().to_owned())
}

#[test]
fn lab_sets_queue_and_store_and_returns_the_commands_exit_code() {
    if !installed(&["redis-server", "rabbitmq-server"]) {
        return;
    }
    let script = "echo $SECKILL_QUEUE $SECKILL_STORE none:$SECKILL_TARGET; exit 7";
    let output = lab(&["--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let printed = stdout(&output);
    let words: Vec<_> = printed.split_whitespace().collect();
    assert!(words[0].starts_with("amqp://127.0.0.1:"), "{printed}");
    assert!(words[1].starts_with("redis://127.0.0.1:"), "{printed}");
    assert_eq!(words[2], "none:");
    for word in &words[..2] {
        assert!(stderr(&output).contains(word), "{word} is not in {}", stderr(&output));
        let port: u16 = word.rsplit(':').next().unwrap().parse().unwrap();
        assert!((16_384..32_768).contains(&port), "{port}");
    }
}

#[test]
fn lab_starts_only_requested_services_and_seckill_means_itself() {
    if !installed(&["redis-server", "nginx"]) {
        return;
    }
    let script = "echo none:$SECKILL_QUEUE $SECKILL_TARGET; kill -9 $$";
    let output = lab(&["--with", "nginx,redis,nginx", "--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(128 + 9), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("none: http://127.0.0.1:"), "{}", stdout(&output));
    let output = lab(&["--with", "redis", "--", "seckill", "--version"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), format!("seckill {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn command_inherits_the_environment_and_stdin_of_the_lab() {
    if !installed(&["redis-server"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    std::fs::write(&input, "a line\n").unwrap();
    let mut command = seckill();
    command.args(["lab", "--with", "redis", "--", "sh", "-c", "cat; env"]);
    command.env("PLAIN", "$1 \"2\"").stdin(std::fs::File::open(&input).unwrap());
    let said = stdout(&command.output().unwrap());
    let has_line = |said: &str, expected: &str| said.lines().any(|line| line == expected);
    assert!(has_line(&said, "a line") && has_line(&said, "PLAIN=$1 \"2\""), "{said}");

    // No shell can have a variable of this name.
    let mut command = seckill();
    command.args(["lab", "--with", "redis", "--", "env"]).env("odd.name", "a b=c");
    let said = stdout(&command.output().unwrap());
    assert!(has_line(&said, "odd.name=a b=c"), "{said}");
}

#[test]
fn lab_without_a_command_prints_addresses_until_stopped() {
    if !installed(&["redis-server"]) {
        return;
    }
    for stop in [Signal::INT, Signal::TERM, Signal::HUP] {
        let temp = tempfile::tempdir().unwrap();
        let (mut lab, line) = started(temp.path(), &[]);
        let url = line.strip_prefix("SECKILL_STORE=").unwrap_or_else(|| panic!("{line}"));
        assert_eq!(ask(&mut connect(url), "PING", "+PONG\r\n"), "+PONG\r\n");
        signal(lab.id(), stop);
        assert_eq!(wait(&mut lab).code(), Some(0), "{stop:?}");
        assert_nothing_left(temp.path(), &[]);
    }
}

#[test]
fn lab_forwards_a_signal_and_waits_for_the_command() {
    if !installed(&["redis-server"]) {
        return;
    }
    for (stop, name) in [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::INT, "INT")] {
        let temp = tempfile::tempdir().unwrap();
        let script = format!("trap 'exit 5' {name}; echo up; while :; do sleep 0.02; done");
        let (mut lab, line) = started(temp.path(), &["--", "sh", "-c", &script]);
        assert_eq!(line, "up");
        signal(lab.id(), stop);
        assert_eq!(wait(&mut lab).code(), Some(5), "{name}");
        assert_nothing_left(temp.path(), &[]);
    }
}

#[test]
fn second_signal_kills_a_command_that_ignores_the_first() {
    if !installed(&["redis-server"]) {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo up; while :; do sleep 0.02; done";
    let (mut lab, line) = started(temp.path(), &["--", "sh", "-c", script]);
    assert_eq!(line, "up");
    signal(lab.id(), Signal::TERM);
    let mut printed = BufReader::new(lab.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("another signal to kill it") {
        line.clear();
        assert!(printed.read_line(&mut line).unwrap() > 0, "the lab ended at the first signal");
    }
    signal(lab.id(), Signal::TERM);
    assert_eq!(wait(&mut lab).code(), Some(128 + 9));
    assert_nothing_left(temp.path(), &[]);
}

/// Without a terminal, what the command has started is in its group.
#[test]
fn no_process_of_the_command_stays_behind() {
    if !installed(&["redis-server", "setsid"]) {
        return;
    }
    for (ending, code) in [("exit 3", Some(3)), ("kill", None), ("two signals", Some(128 + 9))] {
        let temp = tempfile::tempdir().unwrap();
        let end = if ending.starts_with("exit") { ending } else { "while :; do sleep 0.02; done" };
        let script = format!("trap '' TERM; sleep 600 >/dev/null 2>&1 & echo $!; {end}");
        // A session of its own has no terminal.
        let program = seckill();
        let mut command = std::process::Command::new("setsid");
        command.arg(program.get_program()).args(["lab", "--with", "redis", "--", "sh", "-c"]);
        command.arg(script).env("TMPDIR", temp.path()).stdin(Stdio::null());
        let mut lab = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(lab.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let sleeping = line.trim().parse().unwrap_or_else(|_| panic!("{line}"));
        match ending {
            "kill" => lab.kill().unwrap(),
            "two signals" => {
                signal(lab.id(), Signal::TERM);
                let mut printed = BufReader::new(lab.stderr.take().unwrap()).lines();
                let is_told = |line: String| line.contains("another signal to kill it");
                assert!(printed.any(|line| is_told(line.unwrap())));
                signal(lab.id(), Signal::TERM);
            }
            _ => {}
        }
        assert_eq!(wait(&mut lab).code(), code, "{ending}");
        assert_nothing_left(temp.path(), &[sleeping]);
    }
}

#[test]
fn lab_stopped_during_start_leaves_nothing_behind() {
    if !installed(&["rabbitmq-server"]) {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.args(["lab", "--with", "rabbitmq"]).env("TMPDIR", temp.path());
    let mut lab = command.spawn().unwrap();
    let log = || entries(temp.path()).iter().any(|folder| folder.join("service.log").exists());
    crate::support::child::eventually("the broker starts", log);
    signal(lab.id(), Signal::TERM);
    assert_eq!(wait(&mut lab).code(), Some(130));
    assert_nothing_left(temp.path(), &[]);
    let mut printed = String::new();
    lab.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(printed, "");
}

#[test]
fn missing_service_is_reported_with_its_package() {
    let services = [
        ("redis", "redis-server"),
        ("rabbitmq", "rabbitmq-server"),
        ("rabbitmq-cluster", "rabbitmq-server"),
    ];
    for (service, package) in services {
        let mut command = seckill();
        command.args(["lab", "--with", service, "--", "seckill", "--version"]).env("PATH", "");
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let cure = format!("apt-get install {package}");
        assert!(stderr(&output).contains(&cure), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn too_few_open_files_for_a_broker_are_reported_at_once() {
    if !installed(&["rabbitmq-server"]) {
        return;
    }
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -n 64; exec \"$0\" lab --with rabbitmq"]);
    let output = shell.arg(seckill().get_program()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = "rabbitmq needs 256 open files, and the hard limit is 64";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
}

#[test]
fn invalid_lab_arguments_are_reported_before_any_service_starts() {
    for (args, code, text) in [
        (
            &["--with", "postgres"][..],
            2,
            "possible values: redis, redis-cluster, rabbitmq, rabbitmq-cluster, nginx",
        ),
        (&["--with", ""], 2, "--with"),
        (&["--with", "redis,redis-cluster"], 2, "both the store"),
        (&["--with", "rabbitmq,rabbitmq-cluster"], 2, "leave one out"),
        (&["--with", "redis", "--broker-files", "1k"], 2, "add `rabbitmq`"),
        (&["--broker-files", "few"], 2, "not a count"),
        (&["--", "no-such-program"], 1, "`no-such-program`"),
        (&["--", "./no-such-program"], 1, "`./no-such-program`"),
    ] {
        let output = lab(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(text), "{args:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("starting"), "{args:?}: {}", stderr(&output));
    }
}
