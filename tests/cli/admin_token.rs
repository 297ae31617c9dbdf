//! The admin token: requests with a wrong one are logged, once for many and without the token; and
//! a file of it that cannot be read is named.

use hyper::Method;

use super::stderr;
use crate::support::child::{Serving, seckill};
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

#[test]
fn file_of_a_secret_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, flags) in
        [("admin-token", &[][..]), ("waiting-room-secret", &["--waiting-room", "first-come"])]
    {
        let data = folder.path().join(name);
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join(name), b"\xff\xfe").unwrap();
        let mut serve = seckill();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data).args(flags);
        let output = serve.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let problem = "stream did not contain valid UTF-8; let it hold the secret alone";
        let told = format!("cannot read {}: {problem}", data.join(name).display());
        assert!(stderr(&output).contains(&told), "no {told} in {}", stderr(&output));
    }
}
