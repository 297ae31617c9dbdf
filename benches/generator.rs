//! The generator's CPU for each request against wrk's, on the same server, where wrk is
//! installed: a sold-out sale, the same number of connections and threads, whole processes.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use procfs::process::Process;

const CONNECTIONS: &str = "64";

/// What one run did.
struct Run {
    requests: f64,
    cpu_us: f64,
    seconds: f64,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let seconds = if support::is_test() { 1 } else { 4 };
    let (server, url) = start_server(folder.path());
    let server = KilledAtEnd(server);
    let rounds = if support::is_test() { 1 } else { support::ROUNDS };
    let (mut ours, mut wrks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(seckill(&url, seconds));
        wrks.extend(wrk(&url, folder.path(), seconds));
    }
    drop(server);
    let cpu = |runs: &[Run]| support::median(runs.iter().map(|r| r.cpu_us / r.requests).collect());
    let rate =
        |runs: &[Run]| support::median(runs.iter().map(|r| r.requests / r.seconds).collect());
    println!("{CONNECTIONS} connections         CPU us/request    requests/s");
    println!("seckill bench          {:>14.2} {:>13.0}", cpu(&ours), rate(&ours));
    if wrks.is_empty() {
        println!("skipped: wrk is not installed (Debian package wrk)");
        return;
    }
    println!("wrk                    {:>14.2} {:>13.0}", cpu(&wrks), rate(&wrks));
    println!(
        "ratio                  {:>14.2} {:>13.2}",
        cpu(&ours) / cpu(&wrks),
        rate(&ours) / rate(&wrks)
    );
}

struct KilledAtEnd(Child);

impl Drop for KilledAtEnd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_server(folder: &Path) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seckill"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "0", "--data"]);
    let command = command.arg(folder.join("data")).args(["--admin-token", "token"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().strip_prefix("listening on ").unwrap().to_owned())
}

/// CPU of the children that have ended so far, in microseconds.
fn children_cpu_us() -> f64 {
    let stat = Process::myself().unwrap().stat().unwrap();
    (stat.cutime + stat.cstime) as f64 / procfs::ticks_per_second() as f64 * 1e6
}

fn measured(command: &mut Command, seconds: u64, requests: impl Fn(&str) -> f64) -> Run {
    let before = children_cpu_us();
    let output = command.output().unwrap();
    let cpu_us = children_cpu_us() - before;
    let requests = requests(&String::from_utf8(output.stdout).unwrap());
    Run { requests, cpu_us, seconds: seconds as f64 }
}

fn seckill(url: &str, seconds: u64) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seckill"));
    command.args(["bench", "--target", url, "--threads", CONNECTIONS, "--json"]);
    command.args(["--duration", &format!("{seconds}s"), "--admin-token", "token"]);
    measured(&mut command, seconds, |stdout| {
        let json: serde_json::Value = serde_json::from_str(stdout).unwrap();
        assert_eq!(json["requests"]["errors"], 0);
        json["requests"]["total"].as_f64().unwrap()
    })
}

fn wrk(url: &str, folder: &Path, seconds: u64) -> Option<Run> {
    Command::new("wrk").arg("-v").output().ok()?;
    let script = folder.join("post.lua");
    let body = r#"{"uid":"7c9e6679-7425-40de-944b-e07fc1f90ae7","#.to_owned()
        + r#""request_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","item":"default"}"#;
    let lua = format!(
        "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n\
         wrk.body = '{body}'\n"
    );
    std::fs::write(&script, lua).unwrap();
    let mut command = Command::new("wrk");
    let threads = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    command.args(["-t", &threads, "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"]);
    command.arg(script).arg(format!("{url}/seckill"));
    Some(measured(&mut command, seconds, |stdout| {
        let line = stdout.lines().find(|line| line.contains(" requests in ")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }))
}
