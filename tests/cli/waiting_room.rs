//! The waiting room of a server process: its secret, its restart, and the flags of admission.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hyper::Method;
use serde_json::{Value, json};

use crate::support::child::{Serving, eventually, seckill};
use crate::support::client::{ask, block_on};
use crate::support::id;

fn serve(data: &Path) -> Serving {
    Serving::start(data, &["--stock", "5", "--waiting-room", "first-come"])
}

fn request(server: &Serving, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let (code, body) = ask(method, &format!("{}{path}", server.url), body).unwrap();
    (code, serde_json::from_slice(&body).unwrap())
}

/// The state of a ticket.
fn look(server: &Serving, ticket: &str) -> (u16, Value) {
    request(server, Method::GET, &format!("/waiting-room/tickets/{ticket}"), None)
}

/// Status and reason of an attempt with a ticket.
fn buy(server: &Serving, uid: &str, ticket: &str) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/seckill", server.url));
    let body = json!({"uid": uid, "request_id": id(1)});
    let request = request.header("Waiting-Room-Ticket", ticket).json(&body);
    block_on(async {
        let response = request.send().await.unwrap();
        let code = response.status().as_u16();
        (code, response.json::<Value>().await.unwrap()["reason"].clone())
    })
}

#[test]
fn ticket_outlives_a_killed_server_whose_secret_only_its_owner_can_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(&data);
    let wanted = Some(json!({"uid": "ann"}));
    let (code, taken) = request(&server, Method::POST, "/waiting-room/tickets", wanted);
    assert_eq!(code, 200, "{taken}");
    let mut ticket = taken["ticket"].as_str().unwrap().to_owned();
    eventually("it is admitted", || {
        let (code, state) = look(&server, &ticket);
        assert_eq!(code, 200, "{state}");
        ticket = state["ticket"].as_str().unwrap().to_owned();
        state["status"] == "admitted"
    });
    server.kill();
    let mode = data.join("waiting-room-secret").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let server = serve(&data);
    assert_eq!(look(&server, &ticket).1["status"], "admitted");
    assert_eq!(buy(&server, "bob", &ticket), (429, json!("not_admitted")));
    assert_eq!(buy(&server, "ann", &ticket), (202, Value::Null));
    server.kill();

    std::fs::remove_file(data.join("waiting-room-secret")).unwrap();
    let server = serve(&data);
    assert_eq!(look(&server, &ticket).0, 404, "another secret has signed it");
}

#[test]
fn serve_warns_of_proxies_that_are_everybody() {
    for (networks, is_warned) in [("0.0.0.0/0", true), ("127.0.0.1,::/0", true), ("::1", false)] {
        let folder = tempfile::tempdir().unwrap();
        let flags = ["--address-rate-limit", "9/s", "--trusted-proxies", networks];
        let log = Serving::start(folder.path(), &flags).log();
        let warning = "--trusted-proxies trusts everybody to say who they are";
        assert_eq!(log.contains(warning), is_warned, "{networks}: {log}");
    }
}

#[test]
fn flags_that_make_no_sense_are_rejected() {
    let cases: &[(&[&str], &str)] = &[
        (&["--trusted-proxies", "10.0.0.0/8"], "--trusted-proxies: needs --address-rate-limit"),
        (&["--address-rate-limit", "1/s", "--trusted-proxies", "10.0.0.0/99"], "is no network"),
        (
            &["--address-rate-limit", "1/s", "--trusted-proxies", "10.0.0.5/8"],
            "`10.0.0.5/8` is an address inside a network: write 10.0.0.0/8 for all of it",
        ),
        (&["--admit-factor", "0"], "--admit-factor: must be at least 1"),
        (&["--max-wait", "0s"], "--max-wait: must be above 0"),
        (&["--waiting-room", "any"], "first-come"),
        (&["--waiting-room-rate", "5/s"], "--waiting-room-rate: needs --waiting-room first-come"),
        (&["--ticket-ttl", "5m"], "--ticket-ttl: needs --waiting-room first-come"),
        (&["--waiting-room", "shuffled", "--ticket-ttl", "10ms"], "--ticket-ttl: must be at least"),
        (
            &["--waiting-room", "shuffled", "--waiting-room-secret", "short"],
            "--waiting-room-secret: must have at least 16 bytes",
        ),
        (
            &["--waiting-room", "shuffled", "--store", "redis://127.0.0.1"],
            "--waiting-room: needs --waiting-room-rate N/s",
        ),
    ];
    for (args, expected) in cases {
        let output = seckill().arg("serve").args(*args).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {printed}");
        assert!(printed.contains(expected), "{args:?}: {printed}");
        assert!(!printed.contains("short"), "{printed}");
    }
}
