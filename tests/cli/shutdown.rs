//! A run shuts down in an orderly way and leaves nothing behind, whatever ends it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;

use rustix::process::Signal;

use super::outputs::FILES;
use crate::support::child::{self, Serving, eventually, seckill, signal};

/// A bench on a spawned server that runs until it is stopped.
struct Running {
    bench: Child,
    server_pid: u32,
    temp: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let mut bench = endless(temp.path()).spawn().unwrap();
        let mut printed = BufReader::new(bench.stderr.take().unwrap());
        let mut line = String::new();
        printed.read_line(&mut line).unwrap();
        let pid = line.split("spawned as process ").nth(1).unwrap_or_else(|| panic!("{line}"));
        let server_pid = pid.split(':').next().unwrap().parse().unwrap();
        // Drains the rest of its output, so that it never blocks on a full pipe.
        std::thread::spawn(move || printed.read_to_end(&mut Vec::new()));
        Self { bench, server_pid, temp }
    }

    fn assert_server_gone(&self) {
        let process = PathBuf::from(format!("/proc/{}", self.server_pid));
        let is_running = || {
            // A process whose parent died before it stays a zombie until init reaps it; it counts
            // as ended.
            let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        eventually("the spawned server is gone", || !is_running());
    }

    fn left_behind(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.temp.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

fn endless(temp: &Path) -> Command {
    let mut command = seckill();
    command.args(["bench", "--spawn", "--threads", "4", "--duration", "1h"]);
    command.args(["--think", "1ms"]).env("TMPDIR", temp);
    command
}

#[test]
fn first_ctrl_c_ends_the_run_with_audit_and_report() {
    for stop in [Signal::INT, Signal::TERM] {
        let mut run = Running::start();
        signal(run.bench.id(), stop);
        let status = child::wait(&mut run.bench);
        let mut report = String::new();
        run.bench.stdout.take().unwrap().read_to_string(&mut report).unwrap();
        // If stopped before the first attempt, there is nothing to report.
        if status.code() != Some(130) {
            assert_eq!(status.code(), Some(0), "{report}");
            assert!(report.trim_end().lines().last().unwrap().starts_with("NOT OVERSOLD"));
        }
        run.assert_server_gone();
        assert_eq!(run.left_behind(), Vec::<PathBuf>::new());
    }
}

/// A server that tells the state of its sale and never answers an attempt. Returns its URL, and
/// what receives a message for each attempt.
fn silent_server() -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (attempts, received) = std::sync::mpsc::channel();
    let state = r#"{"status":"open","item":"tea","stock":1,"stock_left":1,"orders":0,"queued":0,
        "finished":false}"#;
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, attempts) = (stream.unwrap(), attempts.clone());
            std::thread::spawn(move || {
                let mut piece = [0; 4096];
                while let Ok(len @ 1..) = stream.read(&mut piece) {
                    if piece[..len].starts_with(b"GET ") {
                        let len = state.len();
                        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{state}")
                            .unwrap();
                    } else {
                        let _ = attempts.send(());
                    }
                }
            });
        }
    });
    (url, received)
}

#[test]
fn second_ctrl_c_exits_at_once() {
    let (url, attempts) = silent_server();
    let mut command = seckill();
    command.args(["bench", "--target", &url, "--no-audit", "--duration", "1h", "--timeout", "5m"]);
    let mut bench = command.spawn().unwrap();
    attempts.recv().unwrap();
    signal(bench.id(), Signal::INT);
    let mut printed = BufReader::new(bench.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("another signal to exit") {
        line.clear();
        assert!(printed.read_line(&mut line).unwrap() > 0, "the bench ended at the first signal");
    }
    signal(bench.id(), Signal::INT);
    assert_eq!(child::wait(&mut bench).code(), Some(130));
}

#[test]
fn ctrl_c_before_the_first_request_keeps_the_files_of_an_earlier_run() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("keep");
    let earlier = super::bench(folder.path(), &["--spawn", "--threads", "2", "--out", "keep"]);
    assert_eq!(earlier.status.code(), Some(0), "{}", super::stderr(&earlier));
    let names = |folder: &Path| -> BTreeSet<_> {
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect()
    };
    let content = || FILES.map(|file| std::fs::read(keep.join(file)).unwrap());
    let before = (names(&keep), content());
    for out in ["keep", "new"] {
        // The first request of this load is a minute away.
        let mut command = seckill();
        command.args(["bench", "--spawn", "--stage", "1h:1/s", "--out", out, "--jtl", "run.jtl"]);
        let bench = command.current_dir(folder.path()).spawn().unwrap();
        let ledger = folder.path().join(out).join("ledger-before.ndjson.new");
        eventually("the ledger before the run is read", || {
            std::fs::metadata(&ledger).is_ok_and(|ledger| ledger.len() > 0)
        });
        signal(bench.id(), Signal::INT);
        let output = bench.wait_with_output().unwrap();
        let printed = super::stderr(&output);
        assert_eq!(output.status.code(), Some(130), "{printed}");
        let told = "stopped before anything was sent: there is no report";
        assert_eq!(printed.lines().last(), Some(told), "{printed}");
    }
    assert!((names(&keep), content()) == before, "files of the earlier run were changed");
    assert_eq!(names(folder.path()), BTreeSet::from(["keep".into()]), "a file was left");
}

#[test]
fn killing_the_bench_ends_its_server_and_removes_its_data() {
    let mut run = Running::start();
    run.bench.kill().unwrap();
    run.bench.wait().unwrap();
    run.assert_server_gone();
    let data_left = || run.left_behind().iter().any(|folder| folder.join("data").exists());
    eventually("the data folder is gone", || !data_left());
}

#[test]
fn death_of_the_spawned_server_exits_1() {
    let mut run = Running::start();
    signal(run.server_pid, Signal::KILL);
    // The run was planned to last an hour.
    assert_eq!(child::wait(&mut run.bench).code(), Some(1));
    assert_eq!(run.left_behind(), Vec::<PathBuf>::new());
}

#[test]
fn closed_stdout_pipe_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.args(["bench", "--spawn", "--threads", "2"]).current_dir(folder.path());
    let mut bench = command.spawn().unwrap();
    drop(bench.stdout.take());
    let status = child::wait(&mut bench);
    let mut printed = String::new();
    bench.stderr.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(status.code(), Some(0), "{printed}");
    assert!(!printed.contains("panicked") && !printed.contains("pipe"), "{printed}");
}

#[test]
fn lost_terminal_does_not_lose_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = seckill();
    let args = ["bench", "--spawn", "--threads", "2", "--loops", "5", "--out", "out"];
    let mut bench = command.args(args).current_dir(folder.path()).spawn().unwrap();
    drop(bench.stderr.take());
    let status = child::wait(&mut bench);
    assert_eq!(status.code(), Some(0));
    let run = std::fs::read_to_string(folder.path().join("out/run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&run).unwrap();
    assert_eq!(run["requests"]["total"], 10);
}

#[test]
fn skipped_and_unmeasured_parts_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--spawn", "--threads", "2", "--warmup", "1h", "--json"];
    let output = super::bench(folder.path(), &args);
    assert_eq!(output.status.code(), Some(5), "{}", super::stderr(&output));
    let args = ["bench", "--spawn", "--rate", "500/s", "--duration", "1h", "--out", "out"];
    let bench = seckill().args(args).current_dir(folder.path()).spawn().unwrap();
    let log = folder.path().join("out/latency.hlog");
    eventually("a second of the run is over", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.lines().count() > 4)
    });
    signal(bench.id(), Signal::INT);
    let output = bench.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", super::stderr(&output));
    let report = super::stdout(&output);
    assert!(report.lines().last().is_some_and(|line| line.starts_with("STOPPED ")), "{report}");
    assert!(report.contains("STOPPED    before the end of its plan"), "{report}");
}

#[test]
fn sigterm_shuts_the_server_down_gracefully() {
    let folder = tempfile::tempdir().unwrap();
    for stop in [Signal::TERM, Signal::INT] {
        let server = Serving::start(folder.path(), &["--log", "info"]);
        signal(server.child.id(), stop);
        let (status, printed) = server.wait();
        assert_eq!(status.code(), Some(0), "{printed}");
    }
}

#[test]
fn logs_are_structured_and_contain_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "trace", "--log-format", "json"]);
    command.args(["--data", folder.path().to_str().unwrap(), "--admin-token", super::TOKEN]);
    let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap();
    let args = ["--target", url, "--threads", "3", "--admin-token", super::TOKEN];
    let output = super::bench(folder.path(), &args);
    assert_eq!(output.status.code(), Some(0), "{}", super::stderr(&output));
    signal(server.id(), Signal::TERM);
    let mut log = String::new();
    server.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(child::wait(&mut server).code(), Some(0));
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "not JSON: {line}");
    }
    assert!(!log.contains(super::TOKEN), "the log holds the admin token");
}
