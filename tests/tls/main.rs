//! TLS: `https://` targets as a user sees them, and the clients of real services.
//!
//! The command `openssl` makes new certificates for each test.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

#[path = "../support/mod.rs"]
mod support;

mod authority;
mod proxy;
mod rabbitmq;
mod run;
mod services;
mod trust;
mod untrusted;

use std::path::Path;
use std::process::Output;

/// Runs `seckill bench`, which trusts only the certificates in `trusted`.
fn bench(folder: &Path, trusted: &Path, args: &[&str]) -> Output {
    let mut command = crate::support::child::seckill();
    command.env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
    command.arg("bench").args(args).current_dir(folder).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
