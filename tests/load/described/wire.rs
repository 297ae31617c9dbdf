//! The bytes of the requests: whose values they have, how those are written, and that a retry and a
//! double click repeat them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{PURCHASE, describe, load, load_sut, ok, sent};
use crate::support::scripted::{Received, Scripted};

const ACCOUNTS: &str = "secret,buyer\ns0,ann\n\"s,1\",bob\ns2,\"c\"\"y\"\n";

#[test]
fn each_user_has_its_own_row_of_the_file() {
    let shop = PURCHASE.replacen(
        "json = {",
        "json = { thread = \"{{thread}}\", secret = \"{{csv.secret}}\", name = \"{{csv.buyer}}\",",
        1,
    );
    let server = Scripted::start(|_| ok(201, "", ""));
    let sut = describe(&shop, ACCOUNTS);
    load_sut(&server, sut, "--threads 3 --loops 2 --buyers thread");
    let orders = sent(&server, "POST /orders");
    assert_eq!(orders.len(), 6);
    for thread in ["0", "1", "2"] {
        let of_thread = orders.iter().filter_map(|order| {
            let body: Value = serde_json::from_slice(&order.body).unwrap();
            (body["thread"] == thread).then_some(body)
        });
        let bodies: Vec<_> = of_thread.collect();
        let (secret, name) =
            [("s0", "ann"), ("s,1", "bob"), ("s2", "c\"y")][thread.parse::<usize>().unwrap()];
        assert_eq!(bodies.len(), 2);
        for body in bodies {
            let values = [&body["secret"], &body["name"], &body["buyer"]];
            assert_eq!(values, [&json!(secret), &json!(name), &json!(name)]);
        }
    }
}

/// What would end a string, a header, a form's value or a URL, begin a placeholder, or be lost.
const HOSTILE: &str = "a\"b\\'\r\nX-Evil: 1\r\n\r\n&c=d%41+é 中/?#{{item}}<\u{1}";

/// [`HOSTILE`] in a URL or a form.
const ENCODED: &str = "a%22b%5C%27%0D%0AX-Evil%3A%201%0D%0A%0D%0A%26c%3Dd%2541%2B%C3%A9%20%E4%B8\
                       %AD%2F%3F%23%7B%7Bitem%7D%7D%3C%01";

#[test]
fn value_cannot_leave_its_place() {
    let shop = r#"
[[before]]
request = "GET /p/{{csv.v}}?q={{csv.v}}&r=1"
headers = { x-value = "<{{csv.v}}>" }

[[before]]
request = "POST /form"
form = { "k&=é" = "x&y {{csv.v}}", z = "" }

[[before]]
request = "POST /text"
body = '{"in": ["{{csv.v}}"]}'

[[before]]
request = "PUT /plain"
headers = { content-type = "text/plain" }
body = 'v={{csv.v}}'

[purchase]
request = "POST /orders"
json = { list = ["{{csv.v}}", 1, true], "{{csv.v}}" = { deep = "{{csv.v}}!" } }

[[outcome]]
status = 201
is = "won"
"#;
    let accounts = format!("v\n\"{}\"\n", HOSTILE.replace('"', "\"\""));
    let server = Scripted::start(|request| match request.request() {
        "POST /orders" => ok(201, "", ""),
        _ => ok(200, "", ""),
    });
    let run = load_sut(&server, describe(shop, &accounts), "--buyers thread");
    assert_eq!((run.ended("won"), server.requests().len()), (1, 5));
    let one_line = HOSTILE.replace(['\r', '\n'], "");

    let path = format!("GET /p/{ENCODED}?q={ENCODED}&r=1");
    let value = format!("<{one_line}>");
    assert_eq!(sent(&server, &path)[0].header("x-value"), Some(&*value));
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.header("x-evil").is_none()), "{requests:?}");

    let form = &sent(&server, "POST /form")[0];
    assert_eq!(form.text(), format!("k%26%3D%C3%A9=x%26y%20{ENCODED}&z="));
    assert_eq!(form.header("content-type"), Some("application/x-www-form-urlencoded"));

    let text = &sent(&server, "POST /text")[0];
    assert_eq!(body(text), json!({"in": [HOSTILE]}));
    assert_eq!(text.header("content-type"), Some("application/json"));

    let plain = &sent(&server, "PUT /plain")[0];
    assert_eq!(plain.text(), format!("v={one_line}"));
    assert_eq!(plain.header("content-type"), Some("text/plain"));

    let order = &sent(&server, "POST /orders")[0];
    let deep = json!({"deep": format!("{HOSTILE}!")});
    assert_eq!(body(order), json!({"list": [HOSTILE, 1, true], HOSTILE: deep}));
}

fn body(request: &Received) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// A shop whose page gives a token and whose every answer sets another cookie.
fn shop() -> String {
    let page = "[[before]]\nrequest = \"GET /page\"\nextract = { token = \"json /token\" }\n";
    let token = "headers = { x-token = \"{{token}}\" }\njson";
    let busy = "\n[[outcome]]\nstatus = 503\nis = \"refused\"\nreason = \"unavailable\"\n";
    page.to_owned() + &PURCHASE.replacen("json", token, 1) + busy
}

#[test]
fn retry_repeats_the_bytes_of_its_attempt_without_its_steps() {
    let server = Scripted::start(|request| {
        let cookie = format!("Set-Cookie: n={}\r\n", request.number);
        match request.request() {
            "GET /page" => ok(200, &cookie, &format!(r#"{{"token":{}}}"#, request.number)),
            _ if request.before < 2 => ok(503, &cookie, ""),
            _ => ok(201, &cookie, ""),
        }
    });
    let run = load(&server, &shop(), "--threads 3 --loops 2 --retry 2 --retry-backoff 1ms");
    assert_eq!((run.ended("unavailable"), run.ended("won")), (12, 6));
    assert_eq!((run.counts().recovered, run.summary.errors), (6, 0));
    assert_eq!(sent(&server, "GET /page").len(), 6);
    let mut seen = BTreeSet::new();
    for (id, requests) in server.attempts().into_iter().filter(|(id, _)| !id.0.is_nil()) {
        assert_eq!(requests.len(), 3);
        assert!(seen.insert(requests[0].header("x-token").map(str::to_owned)), "{id:?}");
        for again in &requests[1..] {
            assert_eq!((&again.head, &again.body), (&requests[0].head, &requests[0].body));
        }
    }
    assert_eq!(seen.len(), 6, "each attempt has the token of its own page");
}

#[test]
fn double_click_sends_the_same_bytes_on_two_connections() {
    let server = Scripted::start(|request| match request.request() {
        "GET /page" => ok(200, "Set-Cookie: sid=1\r\n", r#"{"token":"t"}"#),
        _ if request.before == 0 => ok(201, "", ""),
        _ => ok(409, "", "twice"),
    });
    let twice = "\n[[outcome]]\nstatus = 409\nis = \"refused\"\nreason = \"duplicate\"\n";
    let run = load(&server, &(shop() + twice), "--threads 4 --loops 2 --double-click 100%");
    assert_eq!(sent(&server, "GET /page").len(), 8, "the steps are made once for both clicks");
    assert_eq!((run.counts().twins, run.summary.total), (8, 16));
    assert_eq!((run.ended("won"), run.ended("duplicate"), run.outcomes().len()), (8, 8, 8));
    for (_, clicks) in server.attempts().into_iter().filter(|(id, _)| !id.0.is_nil()) {
        let [first, twin] = &clicks[..] else { panic!("{clicks:?}") };
        assert_eq!((&first.head, &first.body), (&twin.head, &twin.body));
        assert_ne!(first.connection, twin.connection);
        assert_eq!(first.header("cookie"), Some("sid=1"));
    }
}
