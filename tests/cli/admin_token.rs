//! Requests with a wrong admin token are logged: once for many, and without the token.

use hyper::Method;

use crate::support::child::Serving;
use crate::support::client::{TOKEN, ask};

#[test]
fn wrong_admin_tokens_are_logged_without_filling_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("data"), &["--admin-token", "another-token"]);
    for _ in 0..50 {
        let (code, _) = ask(Method::GET, &format!("{}/admin/ledger", server.url), None).unwrap();
        assert_eq!(code, 403);
    }
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("wrong admin token")).count();
    assert_eq!(lines, 1, "{log}");
    assert!(!log.contains(TOKEN) && !log.contains("another-token"), "{log}");
}
