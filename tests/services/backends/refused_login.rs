//! Services that are there and refuse: the message says what they refuse, and not to start them.

use std::path::Path;

use seckill::lab::{RabbitMq, RabbitMqOptions, Redis};

use crate::support::child::seckill;
use crate::support::skip::installed;

/// What a server prints that cannot start with this flag.
fn refusal(folder: &Path, flag: &str, url: &str) -> String {
    let mut command = seckill();
    command.current_dir(folder).args(["serve", "--listen", "127.0.0.1:0", flag, url]);
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{url}: {printed}");
    assert!(!printed.contains("start RabbitMQ") && !printed.contains("start Redis"), "{printed}");
    assert!(!printed.contains("wrong-password"), "{printed}");
    printed
}

#[test]
fn broker_that_refuses_the_login_or_the_virtual_host_is_reported() {
    if !installed(&["rabbitmq-server"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = RabbitMq::start(RabbitMqOptions::default()).unwrap();
    let host = broker.url();
    let host = host.trim_start_matches("amqp://").rsplit('@').next().unwrap().to_owned();
    let host = host.split('/').next().unwrap();
    let url = format!("amqp://guest:wrong-password@{host}");
    let printed = refusal(folder.path(), "--queue", &url);
    assert!(printed.contains("refuses the user or the password: put those"), "{printed}");
    assert!(printed.contains("(--queue or SECKILL_QUEUE)"), "{printed}");
    let printed = refusal(folder.path(), "--queue", &format!("amqp://{host}/nowhere"));
    assert!(printed.contains("refuses the virtual host `nowhere`: create it"), "{printed}");
}

#[test]
fn redis_that_refuses_the_login_or_the_database_is_reported() {
    if !installed(&["redis-server"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start().unwrap();
    let host = redis.url();
    let host = host.trim_start_matches("redis://");
    let url = format!("redis://ann:wrong-password@{host}");
    let printed = refusal(folder.path(), "--store", &url);
    assert!(printed.contains("refuses the user or the password: put those"), "{printed}");
    assert!(printed.contains("(--store or SECKILL_STORE)"), "{printed}");
    let printed = refusal(folder.path(), "--store", &format!("redis://{host}/9999999"));
    assert!(printed.contains("refuses the number of the database"), "{printed}");
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let mut set = redis::cmd("CONFIG");
    let () = set.arg("SET").arg("requirepass").arg("secret").query(&mut connection).unwrap();
    let printed = refusal(folder.path(), "--store", &redis.url());
    assert!(printed.contains("refuses requests without a password"), "{printed}");
}
