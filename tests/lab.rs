//! Real services: started, suspended, killed, started again, and never left behind.

#![allow(clippy::unwrap_used)] // In a test, that is an assertion.

#[path = "support/broker.rs"]
mod broker;
#[path = "support/child.rs"]
mod child;

#[path = "lab/command.rs"]
mod command;
#[path = "lab/nginx.rs"]
mod nginx;
#[path = "lab/rabbitmq.rs"]
mod rabbitmq;
#[path = "lab/reaper.rs"]
mod reaper;
#[path = "lab/redis.rs"]
mod redis;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use child::eventually;
use seckill::lab::is_installed;

/// Whether all of these are installed; says so where a test is skipped.
fn installed(binaries: &[&str]) -> bool {
    let missing: Vec<_> = binaries.iter().filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        // Not `println!`, which is shown for failing tests only.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "skipped, not installed: {missing:?}").unwrap();
    }
    missing.is_empty()
}

/// A connection to the port of an address such as `redis://127.0.0.1:20000`.
fn connect(url: &str) -> TcpStream {
    let (_, address) = url.trim_end_matches('/').rsplit_once('/').unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(child::PATIENCE)).unwrap();
    stream
}

/// Sends a line to a Redis and gives as many bytes of the answer as are expected.
fn ask(redis: &mut TcpStream, line: &str, expected: &str) -> String {
    redis.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut answer = vec![0; expected.len()];
    redis.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether nothing comes for a while, as from a service that stands still.
fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let read = stream.read(&mut [0]);
    stream.set_read_timeout(Some(child::PATIENCE)).unwrap();
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Whether a process lives. One whose parent died before it waits for init as a zombie: it has
/// ended.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// The processes whose command line has this word.
fn processes_with(word: &str) -> Vec<u32> {
    let has_word = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(word) && *pid != std::process::id()
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(has_word).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Waits until no service of a lab that had `temp` as its temporary folder is left, nor a file.
fn assert_nothing_left(temp: &Path, pids: &[u32]) {
    eventually("the processes are gone", || !pids.iter().any(|pid| lives(*pid)));
    // The helpers of a service, and the reapers, have the folder in their command lines.
    let word = temp.to_str().unwrap();
    eventually("what belongs to them is gone", || processes_with(word).is_empty());
    assert_eq!(entries(temp), Vec::<PathBuf>::new());
}
