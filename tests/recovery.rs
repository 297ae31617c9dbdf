//! `kill -9` under load: what was answered 202 is there after the restart, decided once, and no
//! sale ever has more orders than stock.

#![allow(clippy::unwrap_used)] // In a test, that is an assertion.

#[path = "support/child.rs"]
mod child;

use std::path::Path;
use std::sync::Arc;

use seckill::audit::{History, Ids, Ledger, LedgerReader, Verdict, reconcile};
use seckill::load::{self, Stop};
use seckill::profile::{BenchFlags, Plan, Target};
use seckill::stats::Live;
use seckill::units::{Count, Span};

use child::{Serving, eventually};

const TOKEN: &str = "recovery-token";
const STOCK: u64 = 60;
const BUYERS: u64 = 200;

/// Rounds in CI; `SECKILL_KILL_ROUNDS` asks for more, `SECKILL_KILL_SEED` for the same again.
const ROUNDS: u64 = 8;

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Some number below `below`, from a seed: SplitMix64.
fn random(seed: u64, round: u64, below: u64) -> u64 {
    let mut bits = seed.wrapping_add((round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) % below
}

#[test]
fn nothing_promised_is_lost_to_kill_9() {
    let rounds = from_env("SECKILL_KILL_ROUNDS", ROUNDS);
    let seed = from_env("SECKILL_KILL_SEED", u64::from(std::process::id()));
    println!("SECKILL_KILL_SEED={seed} SECKILL_KILL_ROUNDS={rounds}");
    let folder = tempfile::tempdir().unwrap();
    let mut histories: Vec<History> = Vec::new();
    let mut accepted = 0;
    for round in 0..rounds {
        let history = load_and_kill(folder.path(), seed, round);
        accepted += history.entries.len();
        histories.push(history);
        // The folder is opened again for every round, and at the end everything is read.
        let server = serve(folder.path());
        histories.iter().for_each(|history| judge(&server, history));
        server.kill();
    }
    assert!(accepted > 0, "no attempt was ever accepted: the test tests nothing");
}

fn serve(data: &Path) -> Serving {
    Serving::start(data, &["--admin-token", TOKEN, "--consumers", "3", "--prefetch", "8"])
}

/// One round: a fresh sale, a load on it, and the end of the server at a random moment.
fn load_and_kill(data: &Path, seed: u64, round: u64) -> History {
    let server = serve(data);
    let target = Target::new(Some(&server.url)).unwrap();
    let item = format!("round-{round}");
    open_sale(&server.url, &item);
    let flags = BenchFlags {
        threads: Some(Count(16)),
        loops: Some(Count(100_000)),
        buyers: Some(seckill::profile::Buyers::Pool(BUYERS)),
        connect_timeout: Some(Span(child::PATIENCE)),
        ..BenchFlags::default()
    };
    let plan = Plan::new(&flags, seed ^ round).unwrap();
    let live = Arc::new(Live::new(load::workers(plan.threads)));
    let stop = Stop::default();
    let loading = {
        let (live, stop, item) = (Arc::clone(&live), stop.clone(), item.parse().unwrap());
        let work = move || load::run(&plan, &target, &item, round, &live, &stop).unwrap();
        std::thread::spawn(work)
    };
    // Random in the number of answers, not in time: as random, and the same on a slow machine.
    let kill_after = 1 + random(seed, round, 3 * STOCK);
    eventually("enough attempts were answered", || live.totals().samples >= kill_after);
    server.kill();
    stop.ask();
    loading.join().unwrap().history
}

/// Everything that was accepted of this round's sale is decided, and every invariant holds.
fn judge(server: &Serving, history: &History) {
    let item = history.item.to_string();
    eventually("everything accepted is decided", || {
        let sale = get(&format!("{}/result?item={item}", server.url));
        serde_json::from_slice::<serde_json::Value>(&sale).unwrap()["queued"] == 0
    });
    let ledger = ledger(&server.url, &item);
    let orders = ledger.rows.len();
    let audit = reconcile(history, &ledger, true);
    assert_eq!(audit.verdict, Verdict::Pass, "{item}, {orders} rows: {audit:#?}");
}

fn ledger(url: &str, item: &str) -> Ledger {
    let mut reader = LedgerReader::default();
    reader.feed(&get(&format!("{url}/admin/ledger?item={item}"))).unwrap();
    reader.finish().unwrap()
}

fn open_sale(url: &str, item: &str) {
    let body = serde_json::json!({ "item": item, "stock": STOCK, "per_buyer": 1 });
    let request = client().put(format!("{url}/admin/sale")).bearer_auth(TOKEN).json(&body);
    let status = block_on(async { request.send().await.unwrap().status() });
    assert!(status.is_success(), "{status}");
}

fn get(url: &str) -> Vec<u8> {
    let request = client().get(url).bearer_auth(TOKEN);
    block_on(async { request.send().await.unwrap().bytes().await.unwrap().to_vec() })
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(child::PATIENCE).build().unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

#[test]
fn a_history_knows_only_its_own_round() {
    let ids = |seed| Ids::new(seed, seckill::profile::Buyers::New);
    let first = seckill::audit::AttemptNo { thread: 0, index: 0 };
    assert_ne!(ids(1).request_id(first), ids(2).request_id(first));
}
