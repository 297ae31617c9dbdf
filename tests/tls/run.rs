//! Runs over TLS.

use serde_json::{Value, json};
use tempfile::TempDir;

use super::authority::{Authority, Issued};
use super::proxy::{Load, Proxy};
use super::{bench, stderr, stdout};
use crate::support::child::Serving;

/// A server, TLS in proxy of it, and the folder with its token.
struct Shop {
    authority: Authority,
    proxy: Proxy,
    folder: TempDir,
    _server: Serving,
}

impl Shop {
    fn open(load: impl FnOnce() -> Load) -> Self {
        let authority = Authority::new();
        let issued: Issued = authority.issue();
        let folder = tempfile::tempdir().unwrap();
        let server = Serving::start(&folder.path().join("seckill-data"), &[]);
        let behind = server.url.strip_prefix("http://").unwrap().parse().unwrap();
        let proxy = Proxy::start(behind, &issued, load());
        Self { authority, proxy, folder, _server: server }
    }

    /// The result of a run that must succeed.
    fn bench(&self, url: &str, args: &[&str]) -> Value {
        self.bench_until(url, args, 0)
    }

    /// Checks how many connections a load needs. The audit after it opens some of its own.
    fn assert_connections(&self, url: &str, load: &[&str], count: usize) {
        let before = self.proxy.buyers();
        let result = self.bench(url, &[load, &["--no-audit"]].concat());
        assert_eq!(result["requests"]["errors"], 0);
        assert_eq!(self.proxy.buyers() - before, count);
    }

    /// The result of a run that must end with this exit code.
    fn bench_until(&self, url: &str, args: &[&str], code: i32) -> Value {
        let args = [&["--target", url, "--json"], args].concat();
        let output = bench(self.folder.path(), &self.authority.certificate, &args);
        assert_eq!(output.status.code(), Some(code), "{}{}", stderr(&output), stdout(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The exit code of a run without a usable answer.
const PROVED_NOTHING: i32 = 4;

#[test]
fn sale_over_tls_passes_the_audit_with_one_connection_per_thread() {
    let shop = Shop::open(|| Load::Served);
    let load = ["--threads", "20", "--loops", "10"];
    let result = shop.bench(&shop.proxy.url(), &load);
    assert_eq!(result["plan"]["target"], shop.proxy.url());
    assert_eq!(result["requests"]["total"], 200);
    assert_eq!(result["requests"]["errors"], 0);
    assert_eq!(result["audit"]["verdict"], "pass");
    assert_eq!(result["audit"]["orders"], 10);
    shop.assert_connections(&shop.proxy.url(), &load, 20);
}

#[test]
fn tls_messages_after_an_answer_do_not_make_a_connection_stale() {
    let shop = Shop::open(|| Load::Rekeyed);
    let load = ["--threads", "4", "--loops", "10", "--think", "20ms"];
    shop.assert_connections(&shop.proxy.url(), &load, 4);
}

#[test]
fn certificate_for_an_ip_address_is_accepted_without_keep_alive() {
    let shop = Shop::open(|| Load::Served);
    let url = format!("https://127.0.0.1:{}", shop.proxy.port);
    let load = ["--threads", "3", "--loops", "5", "--no-keepalive"];
    let result = shop.bench(&url, &load);
    assert_eq!(result["requests"]["errors"], 0);
    assert_eq!(result["audit"]["verdict"], "pass");
    shop.assert_connections(&url, &load, 15);
}

#[test]
fn failed_handshake_is_an_error_without_effect() {
    let other = Authority::new();
    let shop = Shop::open(|| Load::Shown(8, other.issue()));
    let args = ["--threads", "4", "--loops", "2"];
    let result = shop.bench_until(&shop.proxy.url(), &args, PROVED_NOTHING);
    assert_eq!(result["requests"]["by_error"], json!({"tls": 8}));
    assert_eq!(result["audit"]["unknown_outcomes"], 0, "nothing was sent");
    assert_eq!(result["audit"]["orders"], 0);
}

#[test]
fn connect_time_out_covers_the_handshake() {
    let shop = Shop::open(|| Load::Ignored(2));
    let args = ["--threads", "2", "--connect-timeout", "200ms"];
    let result = shop.bench_until(&shop.proxy.url(), &args, PROVED_NOTHING);
    assert_eq!(result["requests"]["by_error"], json!({"connect_timeout": 2}));
    assert_eq!(result["audit"]["unknown_outcomes"], 0, "nothing was sent");
    assert!(result["latency_us"]["min"].as_u64().unwrap() >= 200_000, "{}", result["latency_us"]);
}
