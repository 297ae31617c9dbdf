//! Unusable certificates are reported before the run, each with what to do about it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::authority::{Authority, Issued};
use super::front::{Front, Load};
use super::{bench, stderr};
use crate::support::child::{Serving, eventually};

/// An address that no connection ever reaches.
const NOBODY: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

/// The error for a server with this certificate and a client that trusts `trusted`.
#[track_caller]
fn told(issued: &Issued, trusted: &Path) -> String {
    let front = Front::start(SocketAddr::from(NOBODY), issued, Load::Served);
    told_of(&front.url(), trusted)
}

#[track_caller]
fn told_of(url: &str, trusted: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), trusted, &["--target", url]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with(&format!("seckill: {url}: ")), "{said}");
    said
}

#[test]
fn certificate_of_an_untrusted_ca_is_reported() {
    let ours = Authority::named("ours");
    // A CA that only has the name of ours is detected by its signature.
    for theirs in ["theirs", "ours"] {
        let said = told(&Authority::named(theirs).issue(), &ours.certificate);
        assert!(said.contains("not trusted on this machine: set SSL_CERT_FILE"), "{said}");
    }
}

#[test]
fn certificate_for_another_name_is_reported() {
    let authority = Authority::new();
    let issued = authority.issue_for("DNS:tea.test,DNS:milk.test", 2);
    let said = told(&issued, &authority.certificate);
    assert!(said.contains("another name"), "{said}");
    assert!(said.contains("tea.test") && said.contains("milk.test"), "{said}");
}

#[test]
fn expired_certificate_is_reported() {
    let authority = Authority::new();
    let issued = authority.issue_for("DNS:localhost", 0);
    let now_s = || SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_secs();
    let issued_s = now_s();
    eventually("its last second is over", || now_s() > issued_s);
    let said = told(&issued, &authority.certificate);
    assert!(said.contains("has expired: renew it"), "{said}");
}

#[test]
fn ca_certificate_used_as_server_certificate_is_reported() {
    let authority = Authority::new();
    let said = told(&authority.itself(), &authority.certificate);
    assert!(said.contains("a CA's own") && said.contains("SSL_CERT_FILE"), "{said}");
}

#[test]
fn missing_trusted_certificates_are_reported() {
    let authority = Authority::new();
    for (name, text) in [("nowhere.pem", None), ("empty.pem", Some("")), ("not.pem", Some("hi"))] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let said = told(&authority.issue(), &file);
        assert!(said.contains("no certificates to trust"), "{said}");
        assert!(said.contains("SSL_CERT_FILE"), "{said}");
    }
}

#[test]
fn plain_http_server_and_closed_port_are_reported() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("data"), &[]);
    let url = server.url.replace("http://", "https://");
    let said = told_of(&url, &authority.certificate);
    assert!(said.contains("not in TLS: is it http://"), "{said}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = format!("https://{nobody}");
    let output = bench(folder.path(), &authority.certificate, &["--target", &target]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nobody answers"), "{}", stderr(&output));
}
