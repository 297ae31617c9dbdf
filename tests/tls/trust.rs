//! `--cacert` and `--insecure`: the self-signed certificate of a developer's own server.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::authority::{Authority, Issued};
use super::proxy::{Load, Proxy};
use super::{stderr, stdout};
use crate::support::child::{Serving, seckill};

/// Runs a bench of a server behind TLS with this certificate.
fn bench(issued: &Issued, flags: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("seckill-data"), &[]);
    let behind = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::start(behind, issued, Load::Served);
    let mut command = seckill();
    command.current_dir(folder.path()).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    command.args(["bench", "--target", &proxy.url(), "--threads", "12"]);
    command.args(flags).output().unwrap()
}

fn cacert(path: &Path) -> [&str; 2] {
    ["--cacert", path.to_str().unwrap()]
}

#[test]
fn self_signed_certificate_is_accepted_if_it_is_the_one_of_cacert() {
    // As from `openssl req -x509`: CA:TRUE, and no name of a host.
    let (ours, theirs) = (Authority::new(), Authority::new());
    let output = bench(&ours.itself(), &cacert(&ours.certificate));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains("--insecure"), "{}", stderr(&output));
    let output = bench(&ours.itself(), &cacert(&theirs.certificate));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("certificate"), "{}", stderr(&output));
    assert!(stderr(&output).contains("--cacert"), "{}", stderr(&output));
}

#[test]
fn ca_of_cacert_is_trusted_and_names_are_checked() {
    let authority = Authority::new();
    let output = bench(&authority.issue(), &cacert(&authority.certificate));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = bench(&authority.issue_for("DNS:tea.test", 2), &cacert(&authority.certificate));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("another name"), "{}", stderr(&output));
}

#[test]
fn insecure_accepts_every_certificate_and_says_so_in_every_run() {
    let authority = Authority::new();
    let issued = authority.issue_for("DNS:tea.test", 2);
    let warning = "--insecure: the server's certificate is not checked";
    let output = bench(&issued, &["--insecure"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains(warning), "{}", stderr(&output));
    assert!(stdout(&output).contains("INSECURE"), "{}", stdout(&output));
    let output = bench(&issued, &["--insecure", "--json"]);
    assert!(stderr(&output).contains(warning), "{}", stderr(&output));
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["plan"]["insecure"], true);
}

#[test]
fn missing_files_of_certificates_are_named() {
    let authority = Authority::new();
    let output = bench(&authority.issue(), &["--cacert", "/nowhere/ca.pem"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("--cacert /nowhere/ca.pem"), "{}", stderr(&output));
    let mut command = seckill();
    command.env("SSL_CERT_FILE", "/nowhere/ca.pem");
    let output = command.args(["bench", "--target", "https://127.0.0.1:9"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = "SSL_CERT_FILE from the environment names `/nowhere/ca.pem`";
    assert!(stderr(&output).contains(told), "{}", stderr(&output));
}
