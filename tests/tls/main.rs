//! TLS: `https://` targets as a user meets them, and the services' clients against real services.
//!
//! Certificates are made by the command `openssl`, anew for each test.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

#[path = "../support/mod.rs"]
mod support;

mod authority;
mod front;
mod rabbitmq;
mod run;
mod services;
mod untrusted;

use std::path::Path;
use std::process::Output;

/// `seckill bench`, which trusts the certificates in `trusted` and no others.
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
