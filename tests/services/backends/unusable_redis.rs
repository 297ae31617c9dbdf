//! A Redis that cannot be the store: the server does not start, and says what to use instead.

use std::io::Write;
use std::net::TcpListener;

use seckill::flaws::Flaws;
use seckill::lab::{Redis, free_port};
use seckill::store::{RedisOptions, Store};

use crate::support::skip::installed;
use crate::support::within;

/// The error of opening a store there.
async fn problem(url: &str) -> String {
    let redis = RedisOptions { url: url.parse().unwrap(), buckets: 1, flaws: Flaws::default() };
    within(Store::connect(&redis)).await.unwrap_err().to_string()
}

/// Runs one command on a connection of its own.
fn run(url: &str, words: &[&str]) {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    let () = redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).unwrap();
}

#[tokio::test]
async fn node_of_a_cluster_is_refused_with_how_to_use_its_cluster() {
    if !installed(&["redis-server"]) {
        return;
    }
    // Its default is 10,000 above the other port, where outgoing connections take ports, too.
    let bus = free_port().unwrap().to_string();
    let cluster = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--databases", "1"];
    let redis = Redis::start_with(&cluster).unwrap();
    for url in [redis.url(), format!("{}/0", redis.url()), format!("{}/1", redis.url())] {
        let problem = problem(&url).await;
        assert!(problem.contains("it is a node of a Redis Cluster"), "{problem}");
        assert!(problem.contains("write --store redis+cluster://host:port"), "{problem}");
    }
    // It has no slots yet.
    let problem = problem(&redis.url().replace("redis:", "redis+cluster:")).await;
    assert!(problem.contains("its cluster is down"), "{problem}");
}

#[tokio::test]
async fn single_redis_is_refused_as_a_cluster_with_how_to_use_it() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let cluster = redis.url().replace("redis:", "redis+cluster:");
    let problem_of = problem(&cluster).await;
    assert!(problem_of.contains("it is no node of a Redis Cluster"), "{problem_of}");
    assert!(problem_of.contains("write --store redis://host:port"), "{problem_of}");
    run(&redis.url(), &["CONFIG", "SET", "requirepass", "secret"]);
    let problem_of = problem(&cluster).await;
    assert!(problem_of.contains("refuses requests without a password"), "{problem_of}");
    let form = "redis+cluster://:password@host1:6379,host2:6379 (--store";
    assert!(problem_of.contains(form), "{problem_of}");
    let problem_of = problem(&cluster.replace("//", "//:wrong@")).await;
    assert!(problem_of.contains("refuses the user or the password"), "{problem_of}");
    assert!(problem_of.contains("redis+cluster://user:password@host1:6379,"), "{problem_of}");
    assert!(!problem_of.contains("wrong@"), "{problem_of}");
    let problem_of = problem(&redis.url()).await;
    assert!(problem_of.contains("address, redis://:password@host:6379/0 (--st"), "{problem_of}");
}

#[tokio::test]
async fn each_node_of_a_cluster_is_named_with_what_is_wrong_with_it() {
    let closed = free_port().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [&silent, &other].map(|listener| listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in other.incoming().flatten() {
            let _ = stream.write_all(b"\x1b[2J\r\nnot Redis\r\n");
            open.push(stream);
        }
    });
    let nodes = [closed, ports[0], ports[1]].map(|port| format!("127.0.0.1:{port}"));
    let problem = problem(&format!("redis+cluster://ann:secret@{}", nodes.join(","))).await;
    for (node, what) in nodes.iter().zip([
        "Connection refused (os error 111)",
        "no answer within 500ms",
        "what answers there is not Redis",
    ]) {
        assert!(problem.contains(&format!("{node} ({what})")), "{problem}");
    }
    assert!(!problem.contains("secret") && !problem.contains(char::is_control), "{problem}");
}

#[tokio::test]
async fn replica_is_refused_with_what_to_use_instead() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    run(&redis.url(), &["REPLICAOF", "127.0.0.1", "1"]);
    let problem = problem(&redis.url()).await;
    assert!(problem.contains("it is a replica, which takes no writes"), "{problem}");
}

#[tokio::test]
async fn sales_in_another_layout_are_refused_and_not_misread() {
    if !installed(&["redis-server"]) {
        return;
    }
    let redis = Redis::start().unwrap();
    let cases: [&[&str]; 2] =
        [&["SADD", "seckill:items", "tea"], &["SET", "{seckill}:layout", "3\n\x1b[2J"]];
    for (database, (words, layout)) in cases.into_iter().zip(["1", r"3\n\u{1b}[2J"]).enumerate() {
        let url = format!("{}/{database}", redis.url());
        run(&url, words);
        let problem = problem(&url).await;
        let expected = format!("sales of another version of seckill (layout {layout},");
        assert!(problem.contains(&expected), "{problem}");
        assert!(problem.contains("use an empty database"), "{problem}");
    }
}
