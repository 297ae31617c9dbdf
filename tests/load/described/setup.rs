//! `[[setup]]` runs once for each virtual user, before the load.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{PURCHASE, describe, figures, load, ok, sent};
use crate::run::load_shop;
use crate::support::scripted::{Received, Reply, Scripted};

const LOGIN: &str = r#"
[[setup]]
request = "POST /login"
form = { name = "{{buyer}}" }
extract = { token = "json /token" }
"#;

/// The login, and a purchase that needs its token.
fn shop() -> String {
    let header = "headers = { authorization = \"Bearer {{token}}\" }";
    LOGIN.to_owned() + &PURCHASE.replacen("json", &format!("{header}\njson"), 1)
}

/// Logs users in, and sells to everybody.
fn sell(request: &Received) -> Reply {
    let number = request.number;
    match request.request() {
        "POST /login" => ok(
            200,
            &format!("Set-Cookie: sid=S{number}; Path=/; HttpOnly\r\n"),
            &format!(r#"{{"token":"T{number}"}}"#),
        ),
        _ => ok(201, "", "{}"),
    }
}

#[test]
fn each_user_is_set_up_once_before_the_start_and_keeps_its_cookies_and_values() {
    let server = Scripted::start(sell);
    let run = load(&server, &shop(), "--threads 20 --loops 3 --buyers thread --stampede");
    let (logins, orders) = (sent(&server, "POST /login"), sent(&server, "POST /orders"));
    assert_eq!((logins.len(), orders.len()), (20, 60));
    let set_up = logins.iter().map(|login| login.answered.unwrap()).max().unwrap();
    assert!(orders.iter().all(|order| order.at >= set_up), "a purchase before the start");
    let users: HashMap<String, usize> =
        logins.iter().map(|login| (login.text().replace("name=", ""), login.number)).collect();
    assert_eq!(users.len(), 20, "each user is a buyer of its own");
    assert!(logins.iter().all(|login| login.header("cookie").is_none()));
    for order in &orders {
        let body: Value = serde_json::from_slice(&order.body).unwrap();
        let number = users[body["buyer"].as_str().unwrap()];
        assert_eq!(order.header("cookie"), Some(&*format!("sid=S{number}")), "{order:?}");
        assert_eq!(order.header("authorization"), Some(&*format!("Bearer T{number}")));
    }
    assert_eq!(figures(&run.steps), [(0, 20, vec![])]);
    assert_eq!((run.summary.total, run.ended("won"), run.summary.errors), (60, 60, 0));
}

#[test]
fn step_of_the_setup_is_tried_again_after_growing_pauses() {
    let server = Scripted::start(|request| match request.number {
        0 => ok(503, "", ""),
        1 => ok(200, "", "{}"),
        _ => sell(request),
    });
    let run = load(&server, &shop(), "--buyers thread");
    let errors = vec![("body".to_owned(), 1), ("http_503".to_owned(), 1)];
    assert_eq!(figures(&run.steps), [(0, 3, errors)]);
    assert_eq!((run.ended("won"), run.summary.errors), (1, 0), "they are no errors of the run");
    let logins = sent(&server, "POST /login");
    let pauses = [200, 400].map(Duration::from_millis);
    for (pair, pause) in logins.windows(2).zip(pauses) {
        assert!(pair[1].at - pair[0].answered.unwrap() >= pause, "{pair:?}");
    }
}

/// The error of a run whose users cannot be set up.
fn failure(shop: &str, flags: &str, script: fn(&Received) -> Reply) -> String {
    let server = Scripted::start(script);
    let (sut, stop) = (describe(shop, ""), CancellationToken::new());
    let error = load_shop(sut, &server.url(), flags, &stop, |_| {}).unwrap_err();
    assert!(sent(&server, "POST /orders").is_empty(), "the run has begun");
    assert!(server.requests().len() >= 3, "a step is tried three times");
    error.to_string()
}

#[test]
fn run_does_not_begin_if_a_user_cannot_be_set_up() {
    let failure = |script| failure(&shop(), "--buyers thread", script);
    let error = failure(|_| {
        let hostile = format!("<b>\u{1b}[2J\nno such user\u{202e}{}", "x".repeat(5000));
        ok(403, "", &hostile)
    });
    let expected = "virtual user 1 could not be set up: step `POST /login`: status 403: \
                    <b>\\u{1b}[2J\\nno such user\\u{202e}xxx";
    assert!(error.starts_with(expected), "{error}");
    assert!(error.ends_with("x…") && error.len() < 400, "{error}");

    let error = failure(|_| ok(200, "", r#"{"tokn":1}"#));
    assert!(error.ends_with("status 200, and `token` is not where it should be"), "{error}");

    // The last failure counts, and not an earlier one that had an answer.
    let error = failure(|request| match request.number {
        0 | 1 => ok(500, "", "broken"),
        _ => Reply::Close,
    });
    assert!(error.ends_with("step `POST /login`: reset"), "{error}");
}

#[test]
fn user_and_step_that_fail_are_named() {
    let cart = "[[setup]]\nname = \"fill the cart\"\nrequest = \"POST /cart/{{thread}}\"\n";
    let shop = shop() + cart;
    let error = failure(&shop, "--threads 4 --buyers thread", |request| match request.request() {
        "POST /cart/2" => ok(507, "", "full"),
        _ => sell(request),
    });
    let expected = "virtual user 3 could not be set up: step `fill the cart`: status 507: full";
    assert_eq!(error, expected);
}

#[test]
fn run_that_is_stopped_during_the_setup_is_no_failure_of_the_shop() {
    let stop = CancellationToken::new();
    let cancel = stop.clone();
    let server = Scripted::start(move |_| {
        cancel.cancel();
        ok(500, "", "")
    });
    let run = load_shop(describe(&shop(), ""), &server.url(), "--buyers thread", &stop, |_| {});
    assert!(run.unwrap().history.is_empty());
    assert_eq!(server.requests().len(), 1, "it is not tried again");
}
