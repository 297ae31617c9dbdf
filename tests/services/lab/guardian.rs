//! A process that cannot clean up leaves nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use procfs::process::Process;
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
    let name = "lab::guardian::exit_without_drop_leaves_nothing_behind";
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
    // The command prints as soon as it runs; its guardian is registered a moment later.
    let lab_pid = i32::try_from(lab.id()).unwrap();
    eventually("the lab waits", || sleeps(lab_pid));
    assert_eq!(entries(temp.path()).len(), 3, "one folder per service");
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

/// Whether all threads of a process sleep.
fn sleeps(pid: i32) -> bool {
    let tasks = Process::new(pid).unwrap().tasks().unwrap();
    tasks.flatten().all(|task| task.stat().is_ok_and(|stat| stat.state == 'S'))
}
