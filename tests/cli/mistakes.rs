//! What people type by mistake, and what they are told: the flag or variable or line, and the cure.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use super::{bench, stderr, stdout};
use crate::support::child::seckill;

/// Words of the command line, the exit code, and what stderr says.
type Mistake = (&'static [&'static str], i32, &'static str);

const MISTAKES: &[Mistake] = &[
    // Addresses.
    (&["bench", "--target", "http://127.0.0.1:99999"], 2, "--target: the port `99999` of"),
    (&["bench", "--target", "http://127.0.0.1:abc"], 2, "--target: the port `abc` of"),
    (&["bench", "--target", "http://127.0.0.1:"], 2, "--target: the port `` of"),
    (&["bench", "--target", "http://127.0.0.1:0"], 2, "is not a number from 1 to 65535"),
    (&["bench", "--target", "http://[::1]:70000"], 2, "--target: the port `70000` of"),
    (&["bench", "--target", "ftp://127.0.0.1"], 2, "not of the form http://host:port"),
    (&["bench", "--target", "http://127.0.0.1:7001/seckill"], 2, "give only http://host:port"),
    (&["bench", "-t", "http://no.invalid"], 2, "correct its name, or write the server's address"),
    (&["serve", "--listen", "no.invalid:1"], 1, "(--listen or SECKILL_LISTEN), such as 127.0.0.1"),
    (&["bench", "http://127.0.0.1:7001"], 2, "tip: write '--target http://127.0.0.1:7001'"),
    (&["bench", "127.0.0.1"], 2, "tip: write '--target http://127.0.0.1:7001'"),
    (&["bench", "shop"], 2, "an address follows '--target'"),
    (&["bench", "--url", "http://127.0.0.1"], 2, "tip: use '--target http://127.0.0.1:7001'"),
    (&["bench", "127.0.0.1:7002"], 2, "tip: write '--target http://127.0.0.1:7002'"),
    (&["http://127.0.0.1:7001"], 2, "tip: write 'seckill bench --target http://127.0.0.1:7001'"),
    (&["serve", "--port", "8080"], 2, "tip: use '--listen 127.0.0.1:8080'"),
    (&["serve", "--port=9000"], 2, "tip: use '--listen 127.0.0.1:9000'"),
    (&["serve", "--port", "70000"], 2, "tip: use '--listen 127.0.0.1:7001'"),
    (&["serve", "--host", "0.0.0.0"], 2, "tip: use '--listen 0.0.0.0:7001'"),
    (&["serve", "--host", "::", "-p", "80"], 2, "tip: use '--listen [::]:80'"),
    (&["serve", "8080"], 2, "'--listen 8080'"),
    (&["serve", "--listen", "127.0.0.1"], 2, "--listen: `127.0.0.1` has no port"),
    (&["serve", "--listen", ":70000"], 2, "--listen: the port `70000` of"),
    (&["serve", "--listen", "http://127.0.0.1:80"], 2, "write the address alone: 127.0.0.1:80"),
    (&["serve", "--listen", "host:http"], 2, "is not a number from 0 to 65535"),
    (&["serve", "--queue", "amqp://127.0.0.1:5672/"], 2, "--queue: names the empty virtual host"),
    (&["serve", "--queue", "amqp://a:5672,,b"], 2, "--queue: does not name its brokers: write"),
    (&["serve", "--queue", "amqp://a/v,b/v"], 2, "--queue: does not name its brokers: write"),
    (&["serve", "--queue", "amqp://a:5672,amqp://b"], 2, "the hosts with commas between them"),
    (&["serve", "--queue", "amqp://ann:pw@a,ann:pw@b"], 2, "user, password and virtual host once"),
    (&["serve", "--queue", "amqp://1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h"], 2, "give at most 16"),
    (&["serve", "--queue", "kafka://127.0.0.1"], 2, "--queue: is neither embedded nor of the form"),
    (&["serve", "--queue", "amqp://h:port"], 2, "--queue: is not of the form amqp://user:password"),
    (&["serve", "--queue", "amqp://a,b:port"], 2, "--queue: is not of the form amqp://user:passw"),
    (&["serve", "--store", "redis://h:port"], 2, "--store: is not of the form redis://user:passw"),
    (&["serve", "--store", "redis://h/x"], 2, "redis://user:password@host:6379/0, or for a clust"),
    (&["serve", "--store", "redis+cluster://a,b:port"], 2, "--store: is not of the form redis://"),
    (&["bench", "--spawn", "--", "--queue", "amqp://h:port"], 2, "--queue: is not of the form"),
    (&["serve", "--store", "127.0.0.1:6379"], 2, "of the form redis://… or redis+cluster://…"),
    (&["serve", "--store", "redis://a,b"], 2, "--store: has several hosts: write redis+cluster:"),
    (&["serve", "--store", "redis+cluster://a,,b"], 2, "does not name the nodes of a cluster"),
    (
        &["serve", "--store", "redis+cluster://a:1,redis://b:2"],
        2,
        "write scheme, user and password",
    ),
    (&["serve", "--store", "redis+cluster://ann:pw@a,ann:pw@b"], 2, "an @ in a password is %40"),
    (&["serve", "--store", "redis+cluster://a/3"], 2, "names a database, of which a cluster has"),
    (
        &["serve", "--queue=amqp://a", "--store=redis+cluster://a", "--flaw=check-then-act"],
        2,
        "--flaw: check-then-act uses the article's keys, which are on several nodes",
    ),
    (&["serve", "--stock-buckets", "4"], 2, "--stock-buckets: needs --store redis://… or redis"),
    (&["serve", "--stock-buckets=65", "--store=redis://a"], 2, "65 is not between 1 and 64"),
    (&["serve", "--stock-buckets=0", "--store=redis://a"], 2, "0 is not between 1 and 64"),
    (
        &["serve", "--stock-buckets=2", "--store=redis://a", "--flaw=off-by-one"],
        2,
        "--stock-buckets: cannot be above 1 with --flaw or --design article",
    ),
    (
        &["serve", "--keep-replaced=1h", "--store=redis://a"],
        2,
        "--keep-replaced: needs the embedded store: Redis keeps replaced sales until",
    ),
    (&["bench", "--io", "aio"], 2, "--io"),
    (&["bench", "--io=uring", "-t", "https://a"], 2, "uring cannot be used: it has no TLS"),
    (&["bench", "--insecure"], 2, "--insecure: applies only to a --target https://…"),
    (&["bench", "--cacert", "ca.pem"], 2, "--cacert: applies only to a --target https://…"),
    // Flags of something else.
    (&["bench", "--users", "5"], 2, "tip: use '--threads N'"),
    (&["bench", "--connections", "5"], 2, "tip: use '--threads N'"),
    (&["bench", "--requests", "5"], 2, "tip: use '--loops N'"),
    (&["bench", "--qps", "5"], 2, "tip: use '--rate N/s'"),
    (&["bench", "--ramp-up", "5s"], 2, "tip: use '--ramp TIME'"),
    (&["bench", "--threshold", "p99>1s"], 2, "tip: use '--fail-if EXPR'"),
    (&["bench", "--report", "x"], 2, "'--out DIR' for all reports, or '--html FILE'"),
    (&["serve", "--redis", "x"], 2, "tip: use '--store redis://HOST'"),
    (&["serve", "--rabbitmq", "x"], 2, "tip: use '--queue amqp://HOST'"),
    (&["bench", "spawn"], 2, "tip: write '--spawn'"),
    (&["bench", "--consumers", "8"], 2, "write '--spawn -- --consumers …'"),
    (&["bench", "--spawn", "--", "--threads", "8"], 2, "--threads is a flag of 'seckill bench'"),
    (&["bench", "--spawn", "--", "--port", "80"], 2, "tip: use '--listen 127.0.0.1:80'"),
    (&["bench", "--", "--fail-if", "p99>1s"], 2, "--fail-if is a flag of 'seckill bench': write"),
    (&["bench", "--", "--stock", "5", "-c=5"], 2, "-c is a flag of 'seckill bench': write it"),
    (&["bench", "--", "--stock", "5"], 2, "flags after -- are the spawned server's: add --spawn"),
    (&["bench", "--list-flaws"], 2, "tip: write 'seckill serve --list-flaws'"),
    (&["bench", "--spawn", "--", "--list-flaws"], 2, "tip: write 'seckill serve --list-flaws'"),
    (&["serve", "--threads", "8"], 2, "--threads is a flag of 'seckill bench'"),
    (&["lab", "true"], 2, "tip: a command follows '--': 'seckill lab -- true'"),
    (&["lab", "--threads", "8"], 2, "write it after '--'"),
    (
        &["lab", "--broker-files", "5", "--", "true"],
        2,
        "--broker-files: RabbitMQ does not start with 5 open files: give at least 128",
    ),
    (
        &["lab", "--", "/etc/passwd"],
        1,
        "cannot run `/etc/passwd`: it is not executable: `chmod +x`",
    ),
    (&["run"], 2, "a similar subcommand exists: 'bench'"),
    (&["start"], 2, "a similar subcommand exists: 'serve'"),
    (&["bench", "--thread", "3"], 2, "a similar argument exists: '--threads'"),
    // Values.
    (&["bench", "--threads", "-1"], 2, "`-1` is not a count: write 350, 10k or 2M"),
    (&["bench", "--ramp", "-1s"], 2, "tip: no number and no time is below 0 here"),
    (&["bench", "--threads", "1.5"], 2, "`1.5` is not a count"),
    (&["bench", "--duration", "-5"], 2, "write 20s, 1m30s or 250ms"),
    (&["bench", "--spawn", "--", "--stock", "-3"], 2, "`-3` is not a count"),
    (&["bench", "--seed", "-1"], 2, "`-1` is no seed: write a whole number from 0, such as 42"),
    (&["bench", "--seed", "abc"], 2, "`abc` is no seed: write a whole number from 0"),
    (&["bench", "--nemesis", "abc"], 2, "`abc` is no seed: write a whole number from 0"),
    (&["bench", "--admin-token", ""], 2, "--admin-token: the token is empty: give one, or leave"),
    (&["serve", "--admin-token", ""], 2, "--admin-token: the token is empty"),
    (&["serve", "--log", "nosuchlevel"], 2, "--log: `nosuchlevel` is not a level: write error"),
    (&["serve", "--log", "info,verbose"], 2, "--log: `verbose` is not a level"),
    (&["serve", "--log", "seckill=loud"], 2, "--log: `loud` is not a level: write error, warn"),
    (&["serve", "--log", "[a=b"], 2, "--log: `[a=b` is not a log filter: write error, warn"),
    (&["serve", "--flaw", "nosuchflaw"], 2, "invalid value 'nosuchflaw' for '--flaw"),
    (&["bench", "--profile", "nowhere.toml"], 1, "--profile: cannot read the profile nowhere.toml"),
    (&["audit", "nowhere"], 1, "nowhere"),
    (&["bench", "--spawn", "--out", "-"], 2, "--out: `-` does not stand for stdout"),
    (&["bench", "--spawn", "--jtl", "-"], 2, "--jtl: `-` does not stand for stdout"),
    (&["bench", "--spawn", "--html", "-"], 2, "--html: `-` does not stand for stdout"),
    (&["sut", "init", "-"], 2, "FILE: `-` does not stand for stdout: name a file, such as ./-"),
    (&["bench", "--spawn", "--broker-metrics", "no url"], 2, "--broker-metrics: it cannot be read"),
    (&["bench", "--spawn", "--broker-metrics", "ftp://a"], 2, "it is not of the form http://host"),
    (&["bench"], 1, "start `seckill serve` there, or add --spawn"),
];

#[test]
fn mistake_is_named_with_its_cure() {
    assert!(MISTAKES.len() >= 40);
    let folder = tempfile::tempdir().unwrap();
    for (words, code, cure) in MISTAKES {
        let mut command = seckill();
        command.current_dir(folder.path()).args(*words);
        if words == &["bench"] {
            command.args(["--target", "http://127.0.0.1:1"]);
        }
        assert_told(&command.output().unwrap(), *code, cure);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left behind");
}

/// No tip recommends to put a flag after `--`, where it would mean another server's flag.
#[test]
fn unknown_flag_is_not_recommended_as_a_value() {
    for words in [["bench", "--nosuchflag"], ["serve", "--nosuchflag"], ["lab", "--nosuchflag"]] {
        let output = seckill().args(words).output().unwrap();
        assert_told(&output, 2, "unexpected argument '--nosuchflag'");
        assert!(!stderr(&output).contains("'-- --"), "{words:?}: {}", stderr(&output));
    }
}

#[track_caller]
pub(crate) fn assert_told(output: &Output, code: i32, cure: &str) {
    let printed = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{cure}: {printed}");
    assert!(printed.contains(cure), "no {cure} in: {printed}");
    assert_eq!(stdout(output), "", "{cure}");
}

#[test]
fn port_alone_is_enough_to_listen() {
    let folder = tempfile::tempdir().unwrap();
    for address in [":0", "0"] {
        let data = folder.path().join(address.replace(':', "_"));
        let server = crate::support::child::Serving::start_at(address, seckill(), &data, &[]);
        assert!(server.url.starts_with("http://127.0.0.1:"), "{}", server.url);
    }
}

#[test]
fn target_that_accepts_and_says_nothing_ends_after_the_connect_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let began = Instant::now();
    let output = bench(folder.path(), &["--target", &target, "--connect-timeout", "300ms"]);
    assert_told(&output, 1, "accepted the connection and did not answer within 300ms");
    // The time-out of other requests is 10 s.
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}

/// Runs words in a shell after `first`, with the program's path as `$S`.
fn shell(folder: &Path, script: &str) -> Output {
    let program = seckill().get_program().to_owned();
    let mut command = std::process::Command::new("bash");
    command.current_dir(folder).env("S", program).stdin(Stdio::null());
    command.args(["-c", script]).output().unwrap()
}

#[test]
fn low_limit_of_open_files_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for files in 6..10 {
        let output = shell(folder.path(), &format!("ulimit -n {files}; \"$S\" --version"));
        assert_eq!(output.status.code(), Some(0), "{files}: {}", stderr(&output));
    }
    for words in ["bench --spawn", "serve"] {
        let output = shell(folder.path(), &format!("ulimit -n 64; \"$S\" {words}"));
        assert_told(&output, 1, "the limit of open files (ulimit -n) is 64, and 128 are needed");
    }
}

#[test]
fn full_stdout_is_an_error_and_a_closed_pipe_is_none() {
    let folder = tempfile::tempdir().unwrap();
    for words in ["bench --spawn", "bench --spawn --json", "serve --list-flaws", "man"] {
        let output = shell(folder.path(), &format!("\"$S\" {words} > /dev/full"));
        assert_told(&output, 1, "cannot write the output to stdout: No space left on device");
    }
    for words in ["--help", "bench --help", "--version"] {
        let output = shell(folder.path(), &format!("\"$S\" {words} > /dev/full"));
        assert_told(&output, 1, "cannot write the help to stdout: No space left on device");
    }
    for words in ["bench --help", "serve --list-flaws", "man"] {
        let script = format!("set -o pipefail; \"$S\" {words} | true");
        let output = shell(folder.path(), &script);
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{words}");
    }
}

#[test]
fn limit_of_a_files_size_is_an_error_and_leaves_no_part_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = bench(folder.path(), &["--spawn", "--out", "run"]);
    assert_eq!(recorded.status.code(), Some(0), "{}", stderr(&recorded));
    for (words, file) in [
        ("report run --html made", "made"),
        ("report run --junit made", "made"),
        ("sut init made", "made"),
        ("audit run --json > out", "the output to stdout"),
        ("man > out", "the output to stdout"),
        ("--help > out", "the help to stdout"),
    ] {
        let output = shell(folder.path(), &format!("ulimit -f 1; \"$S\" {words}"));
        assert_told(&output, 1, &format!("cannot write {file}: File too large"));
        assert!(!folder.path().join("made").exists(), "{words}");
    }
}
