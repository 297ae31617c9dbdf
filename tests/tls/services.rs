//! `seckill serve` over RabbitMQ and Redis that accept TLS only.

use std::path::Path;
use std::process::{Child, Command};

use seckill::lab::free_port;

use super::authority::{Authority, Issued};
use super::rabbitmq::RabbitMq;
use super::{bench, stderr, stdout};
use crate::support::child::{Serving, eventually, seckill};
use crate::support::skip::installed;

/// A server that trusts the service's CA sells; one that does not exits with an error.
fn assert_sells_only_if_trusted(flag: &str, url: &str, authority: &Authority) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("seckill-data");
    let server = {
        let mut command = seckill();
        command.env("SSL_CERT_FILE", &authority.certificate).env_remove("SSL_CERT_DIR");
        Serving::start_as(command, &data, &[flag, url])
    };
    let args = ["--target", &server.url, "--threads", "20", "--loops", "5"];
    let output = bench(folder.path(), &authority.certificate, &args);
    assert_eq!(output.status.code(), Some(0), "{}{}", stderr(&output), stdout(&output));
    assert!(stdout(&output).ends_with("NOT OVERSOLD: stock 10, sold 10, left 0\n"));

    let stranger = Authority::new();
    let mut command = seckill();
    command.env("SSL_CERT_FILE", &stranger.certificate).env_remove("SSL_CERT_DIR");
    let elsewhere = folder.path().join("elsewhere");
    command.args(["serve", "--listen", "127.0.0.1:0", flag, url, "--data"]).arg(elsewhere);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    // The broker's client keeps the error of rustls, which gets our own text; the Redis client
    // keeps the text only.
    let reasons = ["its certificate is not trusted", "UnknownIssuer"];
    let is_explained = reasons.iter().any(|words| stderr(&output).contains(words));
    assert!(is_explained, "{}", stderr(&output));
}

/// Waits until a server listens on a port, and fails if the process ends before.
pub(crate) fn listening(process: &mut Child, port: u16) {
    eventually("the service listens", || {
        assert!(process.try_wait().unwrap().is_none(), "the service has ended");
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
}

struct Redis {
    process: Child,
    port: u16,
}

impl Redis {
    fn start(issued: &Issued, folder: &Path) -> Self {
        let port = free_port().unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", "0", "--save", "", "--daemonize", "no"]);
        command.arg("--tls-port").arg(port.to_string()).args(["--tls-auth-clients", "no"]);
        command.arg("--tls-cert-file").arg(&issued.certificate);
        command.arg("--tls-key-file").arg(&issued.key);
        command.current_dir(folder).stdout(std::process::Stdio::null());
        let mut process = command.spawn().unwrap();
        listening(&mut process, port);
        Self { process, port }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn server_sells_over_redis_with_tls() {
    if !installed(&["redis-server"]) {
        return;
    }
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let redis = Redis::start(&authority.issue(), folder.path());
    assert_sells_only_if_trusted(
        "--store",
        &format!("rediss://localhost:{}", redis.port),
        &authority,
    );
}

#[test]
fn server_sells_over_rabbitmq_with_tls() {
    if !installed(&["rabbitmq-server"]) {
        return;
    }
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let rabbitmq = RabbitMq::start(&authority.issue(), &authority.certificate, folder.path());
    let url = format!("amqps://guest:guest@localhost:{}/%2f", rabbitmq.port);
    assert_sells_only_if_trusted("--queue", &url, &authority);
}
