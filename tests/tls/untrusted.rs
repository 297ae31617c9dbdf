//! Unusable certificates are reported before the run, each with what to do about it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::authority::{Authority, Issued};
use super::proxy::{Load, Proxy};
use super::{bench, stderr};
use crate::support::child::{Serving, eventually};

/// An address that no connection ever reaches.
const UNREACHABLE: ([u8; 4], u16) = ([127, 0, 0, 1], 9);

/// The error for a server with this certificate and a client that trusts `trusted`.
#[track_caller]
fn error_for(issued: &Issued, trusted: &Path) -> String {
    let proxy = Proxy::start(SocketAddr::from(UNREACHABLE), issued, Load::Served);
    error_at(&proxy.url(), trusted)
}

#[track_caller]
fn error_at(url: &str, trusted: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), trusted, &["--target", url]);
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.starts_with(&format!("seckill: {url}: ")), "{printed}");
    printed
}

#[test]
fn certificate_of_an_untrusted_ca_is_reported() {
    let ours = Authority::named("ours");
    // A CA that only has the name of ours is detected by its signature.
    for theirs in ["theirs", "ours"] {
        let printed = error_for(&Authority::named(theirs).issue(), &ours.certificate);
        assert!(printed.contains("not trusted on this machine: set SSL_CERT_FILE"), "{printed}");
    }
}

#[test]
fn certificate_for_another_name_is_reported() {
    let authority = Authority::new();
    let issued = authority.issue_for("DNS:tea.test,DNS:milk.test", 2);
    let printed = error_for(&issued, &authority.certificate);
    assert!(printed.contains("another name"), "{printed}");
    assert!(printed.contains("tea.test") && printed.contains("milk.test"), "{printed}");
}

#[test]
fn expired_certificate_is_reported() {
    let authority = Authority::new();
    let issued = authority.issue_for("DNS:localhost", 0);
    let now_s = || SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_secs();
    let issued_s = now_s();
    eventually("the certificate has expired", || now_s() > issued_s);
    let printed = error_for(&issued, &authority.certificate);
    assert!(printed.contains("has expired: renew it"), "{printed}");
}

#[test]
fn ca_certificate_used_as_server_certificate_is_reported() {
    let authority = Authority::new();
    let printed = error_for(&authority.itself(), &authority.certificate);
    assert!(printed.contains("a CA's own") && printed.contains("SSL_CERT_FILE"), "{printed}");
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
        let printed = error_for(&authority.issue(), &file);
        let problem = if text.is_some() { "no certificates to trust" } else { "cannot be read" };
        assert!(printed.contains(problem), "{printed}");
        assert!(printed.contains("SSL_CERT_FILE"), "{printed}");
    }
}

#[test]
fn plain_http_server_and_closed_port_are_reported() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("data"), &[]);
    let url = server.url.replace("http://", "https://");
    let printed = error_at(&url, &authority.certificate);
    assert!(printed.contains("not in TLS: is it http://"), "{printed}");

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = format!("https://{closed}");
    let output = bench(folder.path(), &authority.certificate, &["--target", &target]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no server answers"), "{}", stderr(&output));
}
