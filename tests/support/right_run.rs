//! Seeded runs against a server that is right, with what makes it hard to judge: time-outs,
//! retries, double clicks, several orders per buyer, and a server that is killed during the load.

use std::fs::File;
use std::path::Path;
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::Value;

use super::backend::Backend;
use super::child::{Serving, seckill, wait};
use super::client::{TOKEN, ask, wait_ready};
use super::seeded::{Random, from_env};

/// The file with the result of a run.
const RESULT: &str = "result.json";

/// The file with the errors of a run.
const ERRORS: &str = "errors";

/// How the runs of a campaign ended.
#[derive(Debug, Default)]
pub(crate) struct Campaign {
    pub(crate) passed: u64,
    /// Why each run without a conclusion had none.
    pub(crate) unknown: Vec<String>,
}

impl Campaign {
    /// Makes runs with seeds that follow from this one, `SECKILL_RIGHT_RUNS` of them or else
    /// `runs`, and fails if a server is accused. On a busy machine no request of a run may be
    /// answered in time: up to four times as many are made until one passes.
    pub(crate) fn run(runs: u64, backends: &dyn Fn(u64) -> Backend) -> Self {
        let runs = from_env("SECKILL_RIGHT_RUNS").unwrap_or(runs);
        let seed = from_env("SECKILL_RIGHT_SEED").unwrap_or(u64::from(std::process::id()));
        println!("SECKILL_RIGHT_SEED={seed} SECKILL_RIGHT_RUNS={runs}");
        let mut campaign = Self::default();
        for number in 0..4 * runs {
            if number >= runs && campaign.passed > 0 {
                break;
            }
            let folder = tempfile::tempdir().unwrap();
            let random = &mut Random(seed.wrapping_add(number));
            let audit = run(random, &backends(number), folder.path());
            match audit["verdict"].as_str() {
                Some("pass") => campaign.passed += 1,
                Some("unknown") => campaign.unknown.push(audit["because"].to_string()),
                _ => panic!(
                    "run {number} of seed {seed} accused a right server: {audit:#}\nrecorded in {}",
                    folder.keep().display()
                ),
            }
        }
        println!("{} passed, unknown: {:#?}", campaign.passed, campaign.unknown);
        campaign
    }
}

/// One run, recorded in this folder: returns the audit in its result.
fn run(random: &mut Random, backend: &Backend, folder: &Path) -> Value {
    let stock = random.one_of(&[1, 10, 60, 500]);
    // Some orders expire before their buyers pay, and others are still held at the end.
    let hold = random.one_of(&[None, None, Some("200ms"), Some("1s"), Some("1m")]);
    let mut flags = serve_flags(random, backend, stock);
    flags.extend(hold.iter().flat_map(|hold| ["--hold", hold]).map(str::to_owned));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let server = Serving::start(folder, &flags);
    let url = server.url.clone();
    wait_ready(&url);
    let mut bench = start_bench(random, &url, folder, hold.is_some());
    let server = Mutex::new(Some(server));
    let has_ended = AtomicBool::new(false);
    // The server is killed when so many attempts have been accepted, which may be never.
    let kill_at = (random.below(2) == 0).then(|| 1 + random.below(2 * stock));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let Some(kill_at) = kill_at else { return };
            while !has_ended.load(Ordering::Relaxed) && accepted(&url) < kill_at {
                std::thread::yield_now();
            }
            let mut server = server.lock().unwrap();
            server.take().unwrap().kill();
            let address = url.trim_start_matches("http://");
            *server = Some(Serving::start_at(address, seckill(), folder, &flags));
        });
        wait(&mut bench);
        has_ended.store(true, Ordering::Relaxed);
    });
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let result: Result<Value, _> = serde_json::from_str(&read(RESULT));
    let result = result.unwrap_or_else(|_| panic!("no result: {}", read(ERRORS)));
    result["audit"].clone()
}

/// Orders and queued attempts, as the server says; 0 while it does not answer.
fn accepted(url: &str) -> u64 {
    let Some((200, body)) = ask(Method::GET, &format!("{url}/result"), None) else { return 0 };
    let state: Value = serde_json::from_slice(&body).unwrap_or_default();
    state["orders"].as_u64().unwrap_or(0) + state["queued"].as_u64().unwrap_or(0)
}

fn serve_flags(random: &mut Random, backend: &Backend, stock: u64) -> Vec<String> {
    let mut flags = backend.flags();
    let mut add = |name: &str, value: u64| flags.extend([name.to_owned(), value.to_string()]);
    add("--stock", stock);
    add("--per-buyer", random.one_of(&[1, 1, 2, 3]));
    add("--consumers", 1 + random.below(4));
    add("--prefetch", random.one_of(&[1, 8, 256]));
    add("--max-queue", random.one_of(&[20, 1_000_000]));
    if random.below(4) == 0 {
        flags.extend(["--buyer-rate-limit", "5/s"].map(str::to_owned));
    }
    flags.extend(["--admin-token", TOKEN].map(str::to_owned));
    flags
}

fn start_bench(random: &mut Random, url: &str, folder: &Path, pays: bool) -> Child {
    let mut command = seckill();
    command.current_dir(folder).args(["bench", "--target", url, "--admin-token", TOKEN]);
    command.args(["--json", "--max-errors", "100%", "--settle-timeout", "30s", "--out", "run"]);
    let mut add = |name: &str, value: String| {
        command.args([name, &value]);
    };
    add("--seed", random.below(u64::MAX).to_string());
    add("--threads", (1 + random.below(60)).to_string());
    add("--loops", (1 + random.below(30)).to_string());
    add("--buyers", random.one_of(&["new", "thread", "20", "100:1.1"]).to_owned());
    add("--double-click", random.one_of(&["0%", "30%"]).to_owned());
    add("--retry", (1 + random.below(3)).to_string());
    add("--retry-backoff", "5ms".to_owned());
    add("--timeout", random.one_of(&["10s", "10s", "20ms", "5ms"]).to_owned());
    if random.below(4) == 0 {
        command.arg("--stampede");
    }
    if random.below(4) == 0 {
        command.arg("--follow");
    }
    if pays {
        command.args(["--pay", "70%", "--pay-after", "0s..1200ms"]);
    }
    let file = |name: &str| File::create(folder.join(name)).unwrap();
    command.stdout(file(RESULT)).stderr(file(ERRORS)).spawn().unwrap()
}
