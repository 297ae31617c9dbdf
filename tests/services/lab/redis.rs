//! Redis: acknowledged writes survive a kill.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use seckill::lab::Redis;

use super::{ask, connect, is_silent, lives};
use crate::support::skip::installed;

#[test]
fn acknowledged_writes_survive_a_kill() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut redis = Redis::start().unwrap();
    let (url, pid) = (redis.url(), redis.service().pid());
    assert_eq!(ask(&mut connect(&url), "SET unit 10", "+OK\r\n"), "+OK\r\n");
    redis.service_mut().kill().unwrap();
    assert!(!lives(pid));
    redis.service_mut().kill().unwrap();
    assert!(redis.service_mut().suspend().unwrap_err().to_string().contains("restart it"));
    redis.service_mut().restart().unwrap();
    assert_ne!(redis.service().pid(), pid);
    assert_eq!(redis.url(), url, "a restart keeps the address");
    assert_eq!(ask(&mut connect(&url), "GET unit", "$2\r\n10\r\n"), "$2\r\n10\r\n");
    // A running one is stopped before it is started again.
    redis.service_mut().restart().unwrap();
    assert_eq!(ask(&mut connect(&url), "GET unit", "$2\r\n10\r\n"), "$2\r\n10\r\n");
}

#[test]
fn suspended_redis_is_silent_and_continues_after_resume() {
    if !installed(&["redis-server"]) {
        return;
    }
    let mut redis = Redis::start().unwrap();
    let mut client = connect(&redis.url());
    assert_eq!(ask(&mut client, "SET unit 1", "+OK\r\n"), "+OK\r\n");
    redis.service_mut().suspend().unwrap();
    client.write_all(b"INCR unit\r\n").unwrap();
    assert!(is_silent(&mut client));
    redis.service_mut().resume().unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b":2\r\n");
}

#[test]
fn dropped_redis_leaves_nothing_behind_even_if_suspended() {
    if !installed(&["redis-server"]) {
        return;
    }
    for suspended in [false, true] {
        let mut redis = Redis::start().unwrap();
        let (pid, folder) = (redis.service().pid(), redis.service().folder().to_owned());
        assert!(lives(pid) && folder.join("appendonlydir").exists());
        if suspended {
            redis.service_mut().suspend().unwrap();
        }
        let begun = Instant::now();
        drop(redis);
        assert!(!lives(pid) && !folder.exists());
        assert!(begun.elapsed() < Duration::from_secs(4), "it was not shut down gracefully");
    }
}

#[test]
fn default_arguments_are_durable_and_can_be_overridden() {
    if !installed(&["redis-server"]) {
        return;
    }
    let setting = |redis: &Redis, name: &str, value: &str| {
        let (name_len, value_len) = (name.len(), value.len());
        let expected = format!("*2\r\n${name_len}\r\n{name}\r\n${value_len}\r\n{value}\r\n");
        assert_eq!(
            ask(&mut connect(&redis.url()), &format!("CONFIG GET {name}"), &expected),
            expected
        );
    };
    let usual = Redis::start().unwrap();
    for (name, value) in [("appendfsync", "always"), ("databases", "1024"), ("save", "")] {
        setting(&usual, name, value);
    }
    let other = Redis::start_with(&["--appendfsync", "everysec", "--maxclients", "7"]).unwrap();
    for (name, value) in [("appendfsync", "everysec"), ("maxclients", "7"), ("appendonly", "yes")] {
        setting(&other, name, value);
    }
    assert_ne!(usual.url(), other.url());
}

#[test]
fn failed_start_reports_the_reason() {
    if !installed(&["redis-server"]) {
        return;
    }
    let error = Redis::start_with(&["--appendfsync", "sometimes"]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("redis could not start") && text.contains("sometimes"), "{text}");
}
