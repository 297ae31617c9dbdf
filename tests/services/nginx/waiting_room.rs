//! A waiting room of two API processes: behind nginx, all buyers stand in one line.

use hyper::Method;
use serde_json::{Value, json};

use crate::support::client;

use super::fleet::{Fleet, Services, get};

/// The answer to a request for a ticket.
fn take(fleet: &Fleet, uid: &str) -> Value {
    let url = format!("{}/waiting-room/tickets", fleet.nginx.url());
    let (code, body) = client::ask(Method::POST, &url, Some(json!({"uid": uid}))).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(code, 200, "{body}");
    body
}

#[test]
fn all_buyers_stand_in_one_line_also_when_its_process_has_died() {
    let Some(services) = Services::take() else { return };
    let room = ["--waiting-room", "first-come", "--waiting-room-rate", "10/s"];
    let mut fleet = Fleet::start(&services, &[&room[..], &["--opens-at", "+1h"]].concat());
    let mut tickets = Vec::new();
    for number in 0..20 {
        let taken = take(&fleet, &format!("ann-{number}"));
        assert_eq!(taken["position"], number, "{taken}");
        tickets.push(taken["ticket"].as_str().unwrap().to_owned());
    }
    assert_eq!(take(&fleet, "ann-7")["position"], 7, "it has one already");

    let served: Vec<_> = fleet.apis.iter().map(|api| fleet.served(api)).collect();
    let with_line = served.iter().position(|served| *served > 0).unwrap();
    fleet.apis.remove(with_line).kill();
    for (number, ticket) in tickets.iter().enumerate().rev() {
        let (code, state) = get(&fleet.nginx.url(), &format!("/waiting-room/tickets/{ticket}"));
        assert_eq!((code, &state["position"]), (200, &json!(number)), "{state}");
    }
    assert_eq!(take(&fleet, "bob")["position"], 20, "behind all of them");
    assert_eq!(take(&fleet, "ann-7")["position"], 7);
}
