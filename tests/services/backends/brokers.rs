//! Several brokers in one address: which of them is used, and what is said if none can be.

use std::net::TcpListener;

use crate::support::child::{Serving, seckill};
use crate::support::rabbitmq_cluster;

/// Addresses of which the first refuses connections and the second says nothing.
fn dead_hosts() -> (String, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let [refused, unanswered] = [&refusing, &silent].map(|l| l.local_addr().unwrap().to_string());
    (format!("{refused},{unanswered}"), silent)
}

#[test]
fn error_names_each_broker_and_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (hosts, _silent) = dead_hosts();
    let mut command = seckill();
    let url = format!("amqp://zoe:secret@{hosts}/shop");
    command.current_dir(folder.path()).args(["serve", "--listen", "127.0.0.1:0", "--queue", &url]);
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{printed}");
    for host in hosts.split(',') {
        assert!(printed.contains(&format!("amqp://{host}/shop (")), "{printed}");
    }
    let told = ["cannot connect to any broker", "refused", "no answer within 1s", "start RabbitMQ"];
    assert!(told.iter().all(|told| printed.contains(told)), "{printed}");
    assert!(!printed.contains("secret") && !printed.contains("zoe"), "{printed}");
}

#[test]
fn broker_that_answers_is_used_and_a_classic_queue_is_warned_of() {
    let Some((backend, _in_use)) = rabbitmq_cluster::backend() else { return };
    let (hosts, _silent) = dead_hosts();
    let url = backend.queue.clone().unwrap();
    let alive = url.split(',').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--queue", &format!("{alive},{hosts}"), "--queue-name", "of-one", "--log", "info"];
    let server = Serving::start(folder.path(), &flags);
    let log = server.log();
    let alive = alive.replace("guest:guest@", "");
    assert!(log.contains(&format!("connected to the broker broker=\"{alive}\"")), "{log}");
    let warned = log.lines().filter(|line| line.contains("WARN") && line.contains("classic queue"));
    assert!(warned.count() == 1 && log.contains("--queue-type quorum"), "{log}");
    assert!(!log.contains("guest"), "{log}");
}
