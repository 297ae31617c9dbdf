//! `[[before]]` and `[[after]]` surround each purchase, and have figures of their own.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{PURCHASE, describe, figures, load, ok, sent};
use crate::run::load_shop;
use crate::support::scripted::{Latch, Reply, Scripted};

const PAGE: &str = r#"
[[before]]
request = "GET /page"
extract = { csrf = 'text name="csrf" value="([^"]+)"' }

[[before]]
request = "GET /captcha?of={{csrf}}"
name = "captcha"
"#;

fn page() -> Reply {
    ok(200, "", r#"<input name="csrf" value="c&amp;1">"#)
}

#[test]
fn failed_step_before_the_purchase_ends_the_attempt_without_it() {
    let cases: [(&str, Reply); 3] = [
        ("http_500", ok(500, "", "broken")),
        ("body", ok(200, "", "<p>no token</p>")),
        ("reset", Reply::Close),
    ];
    for (kind, reply) in cases {
        let server = Scripted::start(move |_| reply.clone());
        let run = load(&server, &(PAGE.to_owned() + PURCHASE), "--threads 2 --loops 4 --retry 3");
        assert_eq!(server.requests().len(), 8, "a later step or a purchase was sent: {kind}");
        assert_eq!(figures(&run.steps), [(0, 8, vec![(kind.to_owned(), 8)])]);
        assert_eq!((run.summary.total, run.summary.errors, run.ended("step")), (8, 8, 8));
        assert_eq!((run.sent(), run.counts().began, run.counts().retried()), (8, 8, 0));
        assert!(run.outcomes().is_empty(), "no purchase was sent that may have had an effect");
    }
}

#[test]
fn attempts_after_a_failed_one_are_made() {
    let server = Scripted::start(|request| match request.request() {
        "GET /page" if request.number == 0 => ok(404, "", ""),
        "GET /page" => page(),
        "GET /captcha?of=c%26amp%3B1" => ok(302, "", ""),
        _ => ok(201, "", ""),
    });
    let run = load(&server, &(PAGE.to_owned() + PURCHASE), "--loops 3");
    let error = vec![("http_404".to_owned(), 1)];
    assert_eq!(figures(&run.steps), [(0, 3, error), (1, 2, vec![])]);
    assert_eq!((run.ended("step"), run.ended("won"), run.summary.total), (1, 2, 3));
}

#[test]
fn status_of_a_step_says_what_its_success_is() {
    let purchase = format!("[[before]]\nrequest = \"GET /gone\"\nstatus = [404, 410]\n{PURCHASE}");
    for (status, won) in [(410, 1), (404, 1), (200, 0), (500, 0)] {
        let server = Scripted::start(move |request| match request.request() {
            "GET /gone" => ok(status, "", ""),
            _ => ok(201, "", ""),
        });
        assert_eq!(load(&server, &purchase, "").ended("won"), won, "{status}");
    }
}

/// A step after the purchase that uses the order's id.
fn thanks() -> String {
    let extract = "extract = { order = \"json /id\" }\njson";
    PURCHASE.replacen("json", extract, 1) + "\n[[after]]\nrequest = \"GET /thanks/{{order}}\"\n"
}

#[test]
fn steps_after_the_purchase_change_nothing_of_it() {
    let server = Scripted::start(|request| match request.request() {
        "POST /orders" => ok(201, "", &format!(r#"{{"id":"order {}"}}"#, request.number)),
        _ => ok(500, "", ""),
    });
    let run = load(&server, &thanks(), "--loops 2");
    let paths: Vec<_> = server.requests().iter().map(|it| it.request().to_owned()).collect();
    let expected =
        ["POST /orders", "GET /thanks/order%200", "POST /orders", "GET /thanks/order%202"];
    assert_eq!(paths, expected);
    assert_eq!((run.ended("won"), run.summary.total, run.summary.errors), (2, 2, 0));
    assert_eq!(figures(&run.steps), [(1, 2, vec![("http_500".to_owned(), 2)])]);
}

#[test]
fn value_of_the_last_attempt_does_not_pass_for_one_of_this() {
    let server = Scripted::start(|request| match request.number {
        0 => ok(201, "", r#"{"id":7}"#),
        _ => ok(201, "", "{}"),
    });
    load(&server, &thanks(), "--loops 2");
    assert_eq!(sent(&server, "GET /thanks/7").len(), 1);
    assert_eq!(sent(&server, "GET /thanks/").len(), 1);
}

#[test]
fn headers_of_the_shop_are_sent_as_soon_as_their_values_are_known() {
    let shop = r#"
[shop]
headers = { x-shop = "{{item}}", x-token = "t={{token}}", accept = "text/html" }

[[setup]]
request = "GET /login"
extract = { token = "header x-new" }

[[before]]
request = "GET /page"
headers = { Accept = "*/*" }

[[after]]
request = "GET /after"
"#;
    let server = Scripted::start(|request| match request.request() {
        "POST /orders" => ok(201, "", ""),
        _ => ok(200, "X-New: abc\r\n", ""),
    });
    load(&server, &(shop.to_owned() + PURCHASE), "--buyers thread");
    let requests = server.requests();
    let expected = [
        ("GET /login", None, "text/html"),
        ("GET /page", Some("t=abc"), "*/*"),
        ("POST /orders", Some("t=abc"), "text/html"),
        ("GET /after", Some("t=abc"), "text/html"),
    ];
    assert_eq!(requests.len(), expected.len());
    for (request, (line, token, accept)) in requests.iter().zip(expected) {
        assert_eq!((request.request(), request.header("x-token")), (line, token));
        assert_eq!(request.header("x-shop"), Some("tea"), "{line}");
        assert_eq!(request.header("accept"), Some(accept), "its own header wins");
        assert_eq!(request.head.to_lowercase().matches("accept:").count(), 1, "{request:?}");
    }
}

/// The page is answered when the first second has ended. Without its steps, the purchase would be
/// intended at the beginning of the run.
#[test]
fn purchase_is_intended_later_by_the_time_of_its_steps() {
    let latch = Arc::new(Latch::default());
    let opens = Arc::clone(&latch);
    let server = Scripted::start(move |request| match request.request() {
        "GET /page" => {
            latch.wait();
            page()
        }
        "POST /orders" => ok(201, "", ""),
        _ => ok(200, "", ""),
    });
    let sut = describe(&(PAGE.to_owned() + PURCHASE), "");
    let flags = "--rate 2/s --duration 500ms --max-threads 2";
    let run = load_shop(sut, &server.url(), flags, &CancellationToken::new(), move |second| {
        if second == 0 {
            opens.open();
        }
    });
    let run = run.unwrap();
    assert_eq!(run.ended("won"), 1);
    for sample in &run.samples {
        let intended = sample.intended.unwrap();
        assert!(sample.began >= Duration::from_secs(1), "{sample:?}");
        assert!(intended >= Duration::from_millis(500), "the steps count as lag: {sample:?}");
        assert_eq!(sample.corrected(), sample.ended - intended);
    }
}
