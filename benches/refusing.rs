//! Compares `seckill serve` refusing attempts at a sale that is sold out with nginx returning the
//! same answer without looking at the request.
//!
//! First each of the servers has one core, and one worker, and the generator the other core, so
//! that the server is the bottleneck: its rate, and the CPU time that a request costs it. Then
//! server and generator share two cores, and the server has a worker for each: what a request costs
//! it there shows how much of a second core the server would gain.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;
#[path = "refusing/nginx.rs"]
mod nginx;
#[allow(dead_code, reason = "the generator's own figures are for another benchmark")]
#[path = "peers/process.rs"]
mod process;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use seckill::lab;

use support::cores::Cores;
use support::server::Server;

const CONNECTIONS: [u64; 2] = [64, 350];

fn main() {
    if lab::find("nginx").is_none() {
        println!("skipped: refusing (nginx is not installed; Debian: apt install nginx)");
        return;
    }
    let cores = Cores::take();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let bench = Bench { cores, folder: folder.path() };
    bench.compare_answers();
    let connections = if support::is_test() { &CONNECTIONS[..1] } else { &CONNECTIONS[..] };
    for connections in connections {
        bench.on_one_core(*connections);
    }
    for connections in connections {
        bench.on_both_cores(*connections);
    }
}

/// What a server did in one run.
struct Run {
    per_second: f64,
    /// CPU time of the server for a request, in microseconds.
    cpu_us: f64,
    /// Its CPU, as a share of a core.
    share: f64,
}

struct Bench<'a> {
    cores: Cores,
    folder: &'a Path,
}

impl Bench<'_> {
    /// Both servers have the same to tell, so that the generator has the same work with each.
    fn compare_answers(&self) {
        let servers = [self.seckill("answers"), nginx::start(&self.folder.join("nginx-0"), 1)];
        let attempt = r#"{"uid":"ann"}"#;
        let attempt = format!("POST /seckill HTTP/1.1\r\ncontent-length: 13\r\n@\r\n{attempt}");
        for request in ["GET /result HTTP/1.1\r\n@\r\n", &*attempt] {
            let [ours, nginx] = [&servers[0], &servers[1]].map(|server| ask(server, request));
            let (ours_head, ours_body) = ours.split_once("\r\n\r\n").unwrap();
            let (nginx_head, nginx_body) = nginx.split_once("\r\n\r\n").unwrap();
            assert_eq!(ours_body, nginx_body);
            assert_eq!(ours_head.lines().next(), nginx_head.lines().next());
            figure!("bytes of a head: {} and {}", ours_head.len(), nginx_head.len());
        }
    }

    fn on_one_core(&self, connections: u64) {
        let (ours, nginx) = (self.seckill("one"), nginx::start(&self.folder.join("nginx-1"), 1));
        let [ours, nginx] = self.alternate([&ours, &nginx], connections);
        figure!("{connections} connections, a core for each server");
        figure!("{:<14}{:>12}{:>14}{:>10}", "", "requests/s", "CPU us/req", "its core");
        for (name, runs) in [("seckill serve", &ours), ("nginx", &nginx)] {
            figure!(
                "{name:<14}{:>12.0}{:>14.2}{:>9.0}%",
                median(runs, |run| run.per_second),
                median(runs, |run| run.cpu_us),
                median(runs, |run| run.share) * 100.0
            );
        }
        let ratio = |of: fn(&Run) -> f64| median(&ours, of) / median(&nginx, of);
        let (rate, cpu) = (ratio(|run| run.per_second), ratio(|run| run.cpu_us));
        figure!("{:<14}{rate:>12.2}{cpu:>14.2}\n", "ratio");
    }

    fn on_both_cores(&self, connections: u64) {
        let one = self.seckill("one-again");
        self.cores.use_both();
        let both = self.seckill("both");
        self.cores.move_to_server();
        let [one, both] = self.alternate([&one, &both], connections);
        let (one, both) = (median(&one, |run| run.cpu_us), median(&both, |run| run.cpu_us));
        figure!(
            "{connections} connections, CPU us/req with one core {one:.2}, with two {both:.2}:"
        );
        figure!("two cores would do {:.2} times what one does\n", 2.0 * one / both);
    }

    /// Loads each of the servers in each round.
    fn alternate(&self, servers: [&Server; 2], connections: u64) -> [Vec<Run>; 2] {
        let rounds = if support::is_test() { 1 } else { support::ROUNDS };
        let mut runs = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (server, runs) in servers.into_iter().zip(&mut runs) {
                runs.push(self.load(server, connections));
            }
        }
        runs
    }

    fn load(&self, server: &Server, connections: u64) -> Run {
        let duration = if support::is_test() { "1s" } else { "4s" };
        let mut command = Command::new(env!("CARGO_BIN_EXE_seckill"));
        command.args(["bench", "--target", &server.url, "--no-audit", "--json"]);
        command.args(support::generator::IO);
        command.args(["--threads", &connections.to_string(), "--duration", duration]);
        let ran = process::run(&mut command, self.cores, server, self.folder);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["requests"]["errors"], 0, "{json}");
        let sold_out = &json["requests"]["by_outcome"]["sold_out"];
        assert_eq!(*sold_out, json["requests"]["total"], "{json}");
        let per_second = json["requests"]["per_second"].as_f64().unwrap();
        let cpu_us = ran.server_share * 1e6 / per_second;
        Run { per_second, cpu_us, share: ran.server_share }
    }

    /// A sale that is sold out from the beginning.
    fn seckill(&self, name: &str) -> Server {
        Server::start(env!("CARGO_BIN_EXE_seckill").as_ref(), |command| {
            command.args(["serve", "--listen", "127.0.0.1:0", "--stock", "0"]);
            command.arg("--data").arg(self.folder.join(name)).stderr(Stdio::null());
        })
    }
}

/// What a server answers to a request, in which `@` stands for two fields.
fn ask(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let request = request.replace('@', "host: x\r\nconnection: close\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn median(runs: &[Run], figure: fn(&Run) -> f64) -> f64 {
    support::median(runs.iter().map(figure).collect())
}
