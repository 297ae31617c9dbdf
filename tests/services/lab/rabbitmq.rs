//! RabbitMQ. Each start takes seconds, so one test checks several properties.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use seckill::lab::{RabbitMq, RabbitMqOptions};
use seckill::monitor::PageError;

use super::{connect, is_silent, lives};
use crate::support::broker::{connections, connections_opened, read};
use crate::support::child::eventually;
use crate::support::skip::installed;

const HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// Sends a method on channel 0.
fn send(stream: &mut TcpStream, method: [u8; 4], arguments: &[u8]) {
    let len = u32::try_from(4 + arguments.len()).unwrap().to_be_bytes();
    let frame = [&[1, 0, 0], &len[..], &method, arguments, &[0xce]].concat();
    stream.write_all(&frame).unwrap();
}

/// Asserts that the next frame is this method.
fn receive(stream: &mut TcpStream, method: [u8; 4]) {
    let mut head = [0; 7];
    stream.read_exact(&mut head).unwrap();
    let [_, _, _, len @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes(len) as usize + 1];
    stream.read_exact(&mut payload).unwrap();
    assert_eq!(payload[..4], method);
}

/// A connection that has completed the handshake of AMQP 0-9-1.
fn open(url: &str) -> TcpStream {
    let mut stream = connect(url);
    stream.write_all(HEADER).unwrap();
    receive(&mut stream, [0, 10, 0, 10]);
    let start_ok = b"\0\0\0\0\x05PLAIN\0\0\0\x0c\0guest\0guest\x05en_US";
    send(&mut stream, [0, 10, 0, 11], start_ok);
    receive(&mut stream, [0, 10, 0, 30]);
    // At most the broker's number of channels, frames of the usual length, no heartbeat.
    send(&mut stream, [0, 10, 0, 31], &[0, 77, 0, 2, 0, 0, 0, 0]);
    send(&mut stream, [0, 10, 0, 40], b"\x01/\0\0");
    receive(&mut stream, [0, 10, 0, 41]);
    stream
}

#[test]
fn broker_counts_connections_limits_files_and_restarts() {
    if !installed(&["rabbitmq-server"]) {
        return;
    }
    let options = RabbitMqOptions { files: Some(900), config: "channel_max = 77".to_owned() };
    let mut broker = RabbitMq::start(options).unwrap();
    let (pid, url) = (broker.service().pid(), broker.url());
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().nth(3), Some("900"), "{files}");
    let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert_eq!(program.trim(), "beam.smp", "the process is the broker itself");

    assert_eq!((connections(&broker), connections_opened(&broker)), (0, 0));
    let clients = [open(&url), open(&url), open(&url)];
    // No waiting is needed, because `connection.open` is answered after the connection is counted.
    assert_eq!((connections(&broker), connections_opened(&broker)), (3, 3));
    drop(clients);
    eventually("the connections are closed", || connections(&broker) == 0);
    assert_eq!(connections_opened(&broker), 3);
    assert!(broker.prometheus_url().ends_with("/metrics"));

    broker.service_mut().suspend().unwrap();
    let mut client = connect(&url);
    client.write_all(HEADER).unwrap();
    assert!(is_silent(&mut client));
    broker.service_mut().resume().unwrap();
    receive(&mut client, [0, 10, 0, 10]);

    broker.service_mut().kill().unwrap();
    assert!(!lives(pid));
    assert!(TcpStream::connect(url.trim_start_matches("amqp://")).is_err());
    assert!(matches!(read(&broker, "rabbitmq_connections"), Err(PageError::Http(_))));
    broker.service_mut().restart().unwrap();
    assert_eq!(broker.url(), url);
    let _client = open(&url);
    assert_eq!(connections_opened(&broker), 1, "the count begins at the broker's start");
}

#[test]
fn impossible_broker_options_are_reported() {
    if !installed(&["rabbitmq-server"]) {
        return;
    }
    let options = RabbitMqOptions { files: Some(u64::MAX), ..Default::default() };
    let text = RabbitMq::start(options).unwrap_err().to_string();
    assert!(text.contains("hard limit") && text.contains("ulimit -Hn"), "{text}");
    let options = RabbitMqOptions { config: "nonsense = on".to_owned(), ..Default::default() };
    let text = RabbitMq::start(options).unwrap_err().to_string();
    assert!(text.contains("rabbitmq could not start") && text.contains("nonsense"), "{text}");
}
