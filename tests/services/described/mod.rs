//! A shop that is no `seckill serve`, loaded and judged by its description alone.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::support::backend::Backend;
use crate::support::child::seckill;
use crate::support::skip::installed;

/// Number of runs in which two buyers take the same seat at least once. They mostly do in the
/// first.
const RUNS: usize = 20;

/// A box office: a process of its own, with its own API and keys.
struct BoxOffice {
    process: Child,
    url: String,
    redis: String,
}

impl BoxOffice {
    /// Starts it on a free port; `None` if this machine cannot.
    fn start(arguments: &[&str]) -> Option<Self> {
        if !installed(&["python3", "redis-server"]) {
            return None;
        }
        let redis = Backend::new(false, true).store.unwrap();
        let (port, database) = redis.rsplit_once(':').unwrap().1.split_once('/').unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/box_office.py");
        let mut command = Command::new("python3");
        command.args([script, "0", port, database]).args(arguments);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Some(Self { process, url: url.trim().to_owned(), redis })
    }

    fn seckill(&self, arguments: &[&str]) -> Output {
        let mut command = seckill();
        command.args(arguments).env("BOX_OFFICE_REDIS", &self.redis);
        command.env("SECKILL_TARGET", &self.url).output().unwrap()
    }

    /// Runs the bench with the description, and returns its exit code and its result.
    fn bench(&self) -> (Option<i32>, Value) {
        let output = self.seckill(&["bench", "--profile", PROFILE, "--reset", "--json"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let run = serde_json::from_slice(&output.stdout);
        (output.status.code(), run.unwrap_or_else(|error| panic!("{error}: {stderr}")))
    }
}

impl Drop for BoxOffice {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const PROFILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/described/box_office.toml");

#[test]
fn shop_with_a_race_is_found_to_oversell_by_its_description() {
    let Some(shop) = BoxOffice::start(&[]) else { return };
    for _ in 0..RUNS {
        let (code, run) = shop.bench();
        let audit = &run["audit"];
        if audit["oversold"] == 0 {
            continue;
        }
        assert_eq!((code, &audit["verdict"]), (Some(3), &"fail".into()), "{audit:#}");
        assert_eq!(audit["violations"][0]["invariant"], "never_oversold", "{audit:#}");
        let orders = audit["orders"].as_u64().unwrap();
        assert_eq!(audit["oversold"], orders - 10);
        assert_eq!(run["requests"]["by_outcome"]["won"], orders, "{run:#}");
        return;
    }
    panic!("not oversold in {RUNS} runs");
}

#[test]
fn mended_shop_passes_by_the_same_description() {
    let Some(shop) = BoxOffice::start(&["--atomic"]) else { return };
    let (code, run) = shop.bench();
    let audit = &run["audit"];
    assert_eq!((code, &audit["verdict"]), (Some(0), &"pass".into()), "{audit:#}");
    assert_eq!((&audit["orders"], &audit["stock_left"]), (&10.into(), &0.into()));
    let steps = run["steps"].as_array().unwrap();
    let steps: Vec<_> = steps.iter().map(|step| (&step["label"], &step["total"])).collect();
    let setup: (Value, Value) = ("POST /login".into(), 100.into());
    let page: (Value, Value) = ("GET /events/rock".into(), 100.into());
    assert_eq!(steps, [(&setup.0, &setup.1), (&page.0, &page.1)]);
}

#[test]
fn one_attempt_shows_what_the_description_makes_of_it() {
    let Some(shop) = BoxOffice::start(&["--atomic"]) else { return };
    let output = shop.seckill(&["sut", "check", PROFILE, "--reset"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}{stderr}");
    for expected in [
        "Before     0 orders, 10 left",
        "POST /login\n  sent       name=",
        "extracted  token = ",
        "understood as won: order T-1, by [[outcome]] number 1",
        "After      1 order, 9 left",
        "New        order T-1 of buyer",
        "of this attempt",
        "The description fits what was seen.",
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
}
