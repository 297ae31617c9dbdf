//! Profiles: the flags in them, their faults, and the description of a shop.

use std::sync::Arc;
use std::time::Duration;

use seckill::history::{AttemptNo, Ids};
use seckill::ids::ItemId;
use seckill::profile::{BenchFlags, FlagError, Plan, Profile, ServePlan};
use seckill::settings::Buyers;
use seckill::sut::{Client, Description, Phase, Received, Setting, Sut, Target, Visit};

use super::file;

/// Connections that fit the limit of open files.
const ROOM: u64 = 1_000;

/// The setting of a run without accounts.
pub(crate) fn setting() -> Setting {
    Setting { item: "tea".parse().ok(), seed: 1, repeats: false, accounts: None }
}

/// A virtual user of a tested system, in its first attempt.
pub(super) fn client(sut: &Sut) -> Option<Client> {
    let plan = Plan::new(&BenchFlags::default(), 1).unwrap();
    let target = Target::new(Some("http://127.0.0.1:1")).unwrap();
    let item: ItemId = "tea".parse().unwrap();
    let mut client = sut.client(&target, &plan, &item, Duration::from_secs(1)).ok()?;
    let attempt = AttemptNo { thread: 0, index: 0 };
    client.begin(Visit::new(Ids::new(1, Buyers::New), attempt, 0));
    Some(client)
}

/// Lets a user take this answer wherever it may get one.
pub(super) fn take(client: &mut Client, received: Received<'_>) {
    for phase in [Phase::Setup, Phase::Before] {
        for step in client.steps(phase) {
            let _ = client.step(step);
            let _ = client.take_step(step, received);
            let _ = (client.extracted(step), client.beginning());
        }
    }
    client.ready();
    let _ = client.purchase();
    let _ = (client.understand(received), client.last_outcome());
    for step in client.steps(Phase::After) {
        let _ = client.step(step);
        let _ = client.take_step(step, received);
    }
    let _ = client.result();
    let _ = client.understand_result(received);
}

/// A profile is read, or what is wrong in it is said on one line.
pub(crate) fn run(bytes: &[u8]) {
    let path = file("profile.toml", bytes);
    let is_one_line = |error: String| assert_eq!(error.lines().count(), 1, "{error}");
    match Profile::read(&path) {
        Ok(profile) => {
            let located = |table, error: FlagError| profile.locate(table, &error).to_string();
            if let Err(error) = Plan::new(&profile.bench, 1) {
                is_one_line(located("", error));
            }
            if let Err(error) = ServePlan::of_profile(&profile.server, ROOM) {
                is_one_line(located("server", error));
            }
            let _ = format!("{:?}", profile.bench.fault);
        }
        Err(error) => is_one_line(error.to_string()),
    }
    if !Description::is_in(&path) {
        return;
    }
    match Description::read(&path, setting()) {
        Ok(description) => {
            let sut = Sut::Described(Arc::new(description));
            let head = b"HTTP/1.1 200 OK\r\nset-cookie: a=b; path=/\r\n\r\n";
            let received = Received { status: 200, head, body: br#"{"status":"won","id":1}"# };
            if let Some(mut client) = client(&sut) {
                take(&mut client, received);
            }
            let _ = (sut.record(), sut.steps(), sut.outcomes());
        }
        Err(error) => is_one_line(error.to_string()),
    }
}
