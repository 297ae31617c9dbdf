//! Shops that a profile describes: what is sent to them and when, and what their answers mean.

mod answers;
mod results;
mod setup;
mod steps;
mod wire;

use std::sync::Arc;

use seckill::stats::StepSummary;
use seckill::sut::{Accounts, Description, Setting, Sut};
use tokio_util::sync::CancellationToken;

use super::run::{Run, load_shop};
use crate::support::scripted::{Received, Reply, Scripted, answer};

/// A purchase whose answer 201 makes an order.
const PURCHASE: &str = r#"
[purchase]
request = "POST /orders"
json = { request_id = "{{request_id}}", buyer = "{{buyer}}" }

[[outcome]]
status = 201
is = "won"
"#;

/// The shop with this description, and with these accounts as a CSV file, if there are any.
fn describe(text: &str, accounts: &str) -> Sut {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let accounts = match accounts {
        "" => None,
        accounts => Some(Accounts::read(&file("accounts.csv", accounts)).unwrap()),
    };
    let setting = Setting { item: Some("tea".parse().unwrap()), seed: 1, repeats: false, accounts };
    Sut::Described(Arc::new(Description::read(&file("shop.toml", text), setting).unwrap()))
}

/// Loads the shop with this description until the plan ends.
#[track_caller]
fn load(server: &Scripted, text: &str, flags: &str) -> Run {
    load_sut(server, describe(text, ""), flags)
}

#[track_caller]
fn load_sut(server: &Scripted, sut: Sut, flags: &str) -> Run {
    load_shop(sut, &server.url(), flags, &CancellationToken::new(), |_| {}).unwrap()
}

fn ok(status: u16, fields: &str, body: &str) -> Reply {
    Reply::Bytes(answer(status, fields, body))
}

/// The requests with this method and path, in the order of their arrival.
fn sent(server: &Scripted, request: &str) -> Vec<Received> {
    let mut requests = server.requests();
    requests.retain(|received| received.request() == request);
    requests
}

/// The number of a step, of its requests, and of its errors by kind.
type Figures = (usize, u64, Vec<(String, u64)>);

/// The figures of each step that took place.
fn figures(steps: &[StepSummary]) -> Vec<Figures> {
    let errors = |step: &StepSummary| {
        step.errors.iter().map(|(kind, count)| (kind.to_string(), *count)).collect()
    };
    steps.iter().map(|step| (step.step, step.total, errors(step))).collect()
}
