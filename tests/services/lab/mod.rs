//! Real services: started, suspended, killed, restarted, and never left behind.

mod command;
mod faults;
mod nginx;
mod rabbitmq;
mod rabbitmq_cluster;
mod reaper;
mod redis;
mod redis_cluster;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::child::{WAIT_MAX, eventually};

/// A connection to the port of an address such as `redis://127.0.0.1:20000`.
fn connect(url: &str) -> TcpStream {
    let (_, address) = url.trim_end_matches('/').rsplit_once('/').unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    stream
}

/// Sends a command to Redis, and reads as many bytes as are expected.
fn ask(redis: &mut TcpStream, line: &str, expected: &str) -> String {
    redis.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    let mut answer = vec![0; expected.len()];
    redis.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether nothing arrives for a while, as from a suspended service.
fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let read = stream.read(&mut [0]);
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

/// Whether a process is alive. One whose parent died before it stays a zombie until init reaps it;
/// it counts as ended.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// The processes whose command line contains this word.
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

/// Waits until no service and no file is left of a lab whose temporary folder was `temp`.
fn assert_nothing_left(temp: &Path, pids: &[u32]) {
    eventually("the processes are gone", || !pids.iter().any(|pid| lives(*pid)));
    // The helpers of a service, and the reapers, have the folder in their command lines.
    let word = temp.to_str().unwrap();
    eventually("their helpers are gone", || processes_with(word).is_empty());
    assert_eq!(entries(temp), Vec::<PathBuf>::new());
}
