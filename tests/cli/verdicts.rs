//! Verdicts other than a pass, from a misbehaving server to the exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use seckill::api::Purchase;
use seckill::clock::Clock;
use seckill::server::{Limits, Timeouts, serve_connections};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::{TOKEN, bench, last_line, stderr, stdout};
use crate::support::child::Serving;

/// A server that sells its single unit to every buyer.
#[derive(Default)]
pub(super) struct FaultyServer {
    /// The lines of its ledger.
    sold: Mutex<Vec<String>>,
    accepted: AtomicU64,
    /// Whether all attempts are queued for ever.
    never_settles: bool,
}

impl FaultyServer {
    pub(super) fn never_settling() -> Self {
        Self { never_settles: true, ..Self::default() }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let body = match request.uri().path() {
            "/seckill" => {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                self.sell(&serde_json::from_slice(&body).unwrap()).await
            }
            "/result" => {
                let accepted = self.accepted.load(Ordering::Relaxed);
                let (orders, queued) =
                    if self.never_settles { (0, accepted) } else { (accepted, 0) };
                let left = u8::from(orders == 0);
                let status = if left > 0 { "open" } else { "sold_out" };
                json!({"status": status, "item": "tea", "stock": 1, "stock_left": left,
                       "orders": orders, "queued": queued, "finished": left == 0 && queued == 0})
                .to_string()
            }
            _ => self.ledger().await,
        };
        let status = if body.contains("queued\"}") { StatusCode::ACCEPTED } else { StatusCode::OK };
        Response::builder().status(status).body(Full::new(body.into())).unwrap()
    }

    async fn sell(&self, purchase: &Purchase<'_>) -> String {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed);
        let now_us = Clock::System.now_us();
        let mut line = json!({"request_id": purchase.request_id, "uid": purchase.uid, "item": "tea",
            "seq": number, "accepted_us": now_us, "status": "queued"});
        if !self.never_settles {
            line["decided_us"] = now_us.into();
            (line["status"], line["order_id"]) = ("won".into(), format!("tea-{number}").into());
        }
        self.sold.lock().await.push(line.to_string());
        r#"{"status":"queued"}"#.to_owned()
    }

    async fn ledger(&self) -> String {
        let sold = self.sold.lock().await;
        let n = sold.len();
        let (won, queued) = if self.never_settles { (0, n) } else { (n, 0) };
        let left = u8::from(won == 0);
        let sale = json!({"sale": {"item": "tea", "stock": 1, "stock_left": left, "per_buyer": 1}});
        let counts = json!({"counts": {"accepted": n, "won": won, "lost": 0, "queued": queued}});
        let lines = sold.iter().map(|line| format!("{line}\n")).collect::<String>();
        format!("{sale}\n{lines}{counts}\n")
    }
}

/// Runs `work` while this server listens.
pub(super) fn with(faulty: FaultyServer, work: impl FnOnce(&str)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let faulty = Arc::new(faulty);
    let handler = move |_, request| {
        let faulty = Arc::clone(&faulty);
        async move { faulty.answer(request).await }
    };
    let limits = Limits {
        connections_max: 100,
        drain_timeout: crate::support::child::WAIT_MAX,
        timeouts: Timeouts::default(),
    };
    runtime.spawn(serve_connections(listener, limits, handler, std::future::pending()));
    work(&url);
    runtime.shutdown_background();
}

#[test]
fn overselling_exits_3_and_names_witnesses() {
    let folder = tempfile::tempdir().unwrap();
    with(FaultyServer::default(), |url| {
        let args = ["--target", url, "--threads", "13", "--admin-token", TOKEN, "--full"];
        let output = bench(folder.path(), &args);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert_eq!(last_line(&output), "OVERSOLD by 12: stock 1, sold 13");
        let report = stdout(&output);
        let broken = "BROKEN     never_oversold: orders above the stock (12 times)";
        assert!(report.contains(broken), "{report}");
        let mut explained = report.lines().skip_while(|l| !l.contains(broken)).skip(1);
        assert!(explained.next().is_some_and(|line| line.contains("Likely cause: ")), "{report}");
        let witnesses = explained.take_while(|l| l.starts_with("     "));
        let with_timelines = witnesses.filter(|line| line.contains(" sent; ")).count();
        assert_eq!(with_timelines, 10, "{report}");
    });
}

#[test]
fn unsettled_attempts_give_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    with(FaultyServer::never_settling(), |url| {
        let args = ["--target", url, "--threads", "1", "--settle-timeout", "100ms"];
        let output = bench(folder.path(), &[&args[..], &["--admin-token", TOKEN]].concat());
        assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
        assert!(last_line(&output).starts_with("UNKNOWN, not a pass: 1 attempts were still"));
    });
}

#[test]
fn bench_refuses_to_load_what_it_cannot_audit() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("data"), &["--admin-token", TOKEN]);
    for (flags, reason) in
        [(vec![], "--admin-token"), (vec!["--admin-token", "x"], "not the server")]
    {
        let output = bench(folder.path(), &[vec!["--target", &server.url], flags].concat());
        // Nothing is sent that could not be judged.
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
        assert!(stderr(&output).contains("seckill-data/admin-token"), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
    let output = bench(folder.path(), &["--target", &server.url, "--no-audit"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(last_line(&output), "NOT AUDITED: --no-audit was given");
}

#[test]
fn admin_token_file_that_holds_no_token_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("data"), &["--admin-token", TOKEN]);
    let token = folder.path().join("seckill-data/admin-token");
    std::fs::create_dir_all(&token).unwrap();
    let refused = || {
        let output = bench(folder.path(), &["--target", &server.url]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    let message = refused();
    assert!(message.contains("(the one here cannot be read: "), "{message}");
    std::fs::remove_dir(&token).unwrap();
    std::fs::write(&token, "\n").unwrap();
    let message = refused();
    assert!(message.contains("(the one here is empty)"), "{message}");
}

#[test]
fn stock_is_opened_and_expected() {
    let folder = tempfile::tempdir().unwrap();
    let server = Serving::start(&folder.path().join("data"), &["--admin-token", TOKEN]);
    let target = ["--target", &server.url, "--admin-token", TOKEN, "--threads", "20"];
    let verdict = |flags: &[&str], code| {
        let output = bench(folder.path(), &[&target[..], flags].concat());
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        last_line(&output).to_owned()
    };
    let passed = "NOT OVERSOLD: stock 10, sold 10, left 0";
    assert_eq!(verdict(&["--expect-stock", "10"], 0), passed);
    assert_eq!(verdict(&["--stock", "15"], 0), "NOT OVERSOLD: stock 15, sold 15, left 0");
    let failed = verdict(&["--stock", "10", "--item", "coffee", "--expect-stock", "10"], 0);
    assert_eq!(failed, passed, "an item that was never on sale");
    let failed = verdict(&["--item", "default", "--expect-stock", "10"], 3);
    assert!(failed.starts_with("FAILED (stock_expected)"), "{failed}");
}
