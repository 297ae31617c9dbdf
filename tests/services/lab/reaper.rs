//! A process that cannot clean up leaves nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use seckill::lab::Redis;

use super::{assert_nothing_left, entries, lives, processes_with};
use crate::support::child::{eventually, seckill, signal, wait};
use crate::support::skip::installed;

/// The variable that turns the test below into the observed process.
const HOLDER: &str = "LAB_TEST_HOLDER";

#[test]
fn exit_without_drop_leaves_nothing_behind() {
    if !installed(&["redis-server"]) {
        return;
    }
    if std::env::var_os(HOLDER).is_some() {
        // Leaked like a static, which is never dropped.
        let redis = Box::leak(Box::new(Redis::start().unwrap()));
        println!("process {}", redis.service().pid());
        std::process::exit(0);
    }
    let temp = tempfile::tempdir().unwrap();
    let name = "lab::reaper::exit_without_drop_leaves_nothing_behind";
    let mut holder = Command::new(std::env::current_exe().unwrap());
    holder.args(["--exact", name, "--nocapture"]).env(HOLDER, "1").env("TMPDIR", temp.path());
    let output = holder.output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let printed = String::from_utf8(output.stdout).unwrap();
    let pid = printed.split("process ").nth(1).unwrap_or_else(|| panic!("{printed}"));
    let pid = pid.split_whitespace().next().unwrap().parse().unwrap();
    assert_nothing_left(temp.path(), &[pid]);
}

#[test]
fn killing_a_lab_ends_its_services_and_command_and_removes_its_folders() {
    if !installed(&["redis-server", "rabbitmq-server", "nginx"]) {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut command = seckill();
    command.args(["lab", "--with", "redis,rabbitmq,nginx", "--", "sh", "-c"]);
    command.args(["echo up $$; while :; do sleep 1; done"]).env("TMPDIR", temp.path());
    let mut lab = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(lab.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let command_pid: u32 = line.trim().strip_prefix("up ").unwrap().parse().unwrap();
    assert_eq!(
        entries(temp.path()).len(),
        4,
        "one folder for each service, and one for the socket"
    );
    let word = temp.path().to_str().unwrap();
    assert!(processes_with(word).len() >= 3, "the search finds running services");

    lab.kill().unwrap();
    assert_eq!(wait(&mut lab).code(), None);
    let mut printed = String::new();
    lab.stderr.take().unwrap().take(64 << 10).read_to_string(&mut printed).unwrap();
    let after_process = printed.split("process ").skip(1);
    let mut pids: Vec<u32> =
        after_process.map(|rest| rest.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(pids.len(), 3, "{printed}");
    pids.push(command_pid);
    assert_nothing_left(temp.path(), &pids);
}

#[test]
fn killing_a_lab_ends_a_suspended_service() {
    if !installed(&["redis-server"]) {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let mut command = seckill();
    let mut lab =
        command.args(["lab", "--with", "redis"]).env("TMPDIR", temp.path()).spawn().unwrap();
    let mut line = String::new();
    let mut printed = BufReader::new(lab.stderr.take().unwrap());
    while !line.contains("process ") {
        line.clear();
        assert!(printed.read_line(&mut line).unwrap() > 0, "the lab ended during its start");
    }
    let pid: u32 =
        line.split("process ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    signal(pid, Signal::STOP);
    lab.kill().unwrap();
    wait(&mut lab);
    eventually("the service is gone", || !lives(pid));
    assert_nothing_left(temp.path(), &[pid]);
}

/// A `kill -9` at any moment of the start leaves nothing, not even the command.
#[test]
fn kill_9_while_the_command_starts_leaves_nothing() {
    let temp = tempfile::tempdir().unwrap();
    for delay_us in (0..40_000).step_by(1_000) {
        let marker = format!("{}/{delay_us}", temp.path().display());
        let mut command = seckill();
        command.args(["bench", "--self-test"]).env("TMPDIR", &marker);
        let mut bench = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(delay_us));
        bench.kill().unwrap();
        wait(&mut bench);
        eventually("the stub server is gone", || processes_of(&marker).is_empty());
    }
}

/// The living processes with this temporary folder in their environment.
fn processes_of(temp: &str) -> Vec<u32> {
    let has_temp = |pid: &u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(&format!("TMPDIR={temp}\0"))
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid| has_temp(pid) && lives(*pid)).collect()
}
