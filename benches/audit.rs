//! Measures how long `seckill audit` takes for recorded runs of ten million attempts, how much
//! memory it needs, and how large their files are. The audit runs in a process of its own, as the
//! memory of this one would count otherwise.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use seckill::history::{
    Answered, AttemptNo, Entry, History, Ids, Refused, RequestWindow, SaleView, View,
};
use seckill::judge::{self, Gaps, Verdict};
use seckill::settings::Buyers;
use seckill::sut::read_ledger;

/// Names the folder of the run that this process shall audit.
const FOLDER: &str = "SECKILL_BENCH_AUDIT";

/// Virtual users, whose attempts take turns.
const THREADS: u32 = 1_000;

/// Time between two attempts, and from sending to the answer, in microseconds.
const GAP_US: u64 = 20;
const LATENCY_US: u64 = 5_000;

const BEGAN_US: u64 = 1_795_000_000_000_000;

/// A right run: the accepted attempts come first, and the first of these win.
#[derive(Clone, Copy)]
struct Size {
    attempts: u64,
    accepted: u64,
    stock: u64,
}

fn main() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return audit(Path::new(&folder));
    }
    let attempts = if support::is_test() { 10_000 } else { 10_000_000 };
    figure!("attempts     accepted       units    read and audit    memory   history    ledger");
    for share in [100, 10, 1] {
        let accepted = attempts / share;
        measure(Size { attempts, accepted, stock: accepted / 10 });
    }
}

fn measure(size: Size) {
    // The folder is in the target folder, because a temporary folder may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write(folder.path(), size);
    let mut child = Command::new(std::env::current_exe().unwrap());
    let child = child.env(FOLDER, folder.path()).output().unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
    let figures = String::from_utf8(child.stdout).unwrap();
    let megabytes = |name| folder.path().join(name).metadata().unwrap().len() / 1_000_000;
    let Size { attempts, accepted, stock } = size;
    figure!(
        "{attempts:>8} {accepted:>12} {stock:>11}    {} {:>6} MB {:>6} MB",
        figures.trim_end(),
        megabytes("history.ndjson"),
        megabytes("ledger.ndjson"),
    );
}

/// Audits a run as `seckill audit` does, and prints the time and the largest amount of memory.
fn audit(folder: &Path) {
    let begun = Instant::now();
    let open = |name| BufReader::new(File::open(folder.join(name)).unwrap());
    let history = History::read(open("history.ndjson")).unwrap();
    let ledger = read_ledger(open("ledger.ndjson")).unwrap();
    let audit = judge::audit(&history, Some(&ledger), &Gaps::default());
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(audit.verdict, Verdict::Pass, "{audit:?}");
    let kib = procfs::process::Process::myself().unwrap().status().unwrap().vmhwm.unwrap();
    println!("{seconds:>10.1} s {:>6} MiB", kib / 1024);
}

/// Writes the files of a run.
fn write(folder: &Path, size: Size) {
    let create = |name| BufWriter::new(File::create(folder.join(name)).unwrap());
    let history = history(size);
    history.write(create("history.ndjson")).unwrap();
    let mut ledger = create("ledger.ndjson");
    let Size { accepted, stock, .. } = size;
    writeln!(
        ledger,
        r#"{{"sale":{{"item":"default","epoch":1,"stock":{stock},"stock_left":0,"per_buyer":1}}}}"#
    )
    .unwrap();
    for (seq, entry) in (0..).zip(&history.entries) {
        let request_id = history.ids.request_id(entry.attempt);
        let buyer = history.ids.buyer(entry.attempt);
        let accepted_us = BEGAN_US + entry.sent_us + LATENCY_US / 2;
        let decided_us = accepted_us + LATENCY_US;
        let decision = if seq < stock {
            format!(r#""won","order_id":"default-1-{}""#, seq + 1)
        } else {
            r#""lost","reason":"sold_out""#.to_owned()
        };
        writeln!(
            ledger,
            concat!(
                r#"{{"request_id":"{}","uid":"{}","item":"default","seq":{},"#,
                r#""accepted_us":{},"decided_us":{},"status":{}}}"#,
            ),
            request_id, buyer, seq, accepted_us, decided_us, decision
        )
        .unwrap();
    }
    writeln!(
        ledger,
        r#"{{"counts":{{"accepted":{accepted},"won":{stock},"lost":{},"queued":0}}}}"#,
        accepted - stock
    )
    .unwrap();
}

fn history(size: Size) -> History {
    let Size { attempts, accepted, stock } = size;
    let ids = Ids::new(7, Buyers::New);
    let mut history = History::new(ids, "default".parse().unwrap(), THREADS as usize, BEGAN_US);
    history.sent = vec![attempts / u64::from(THREADS); THREADS as usize];
    for number in 0..attempts {
        let thread = (number % u64::from(THREADS)) as u32;
        let attempt = AttemptNo { thread, index: number / u64::from(THREADS) };
        let sent_us = (number + 1) * GAP_US;
        let answered_us = sent_us + LATENCY_US;
        if number < accepted {
            let (answered, refusal) = (Answered::Accepted, None);
            history.entries.push(Entry { attempt, answered, sent_us, answered_us, refusal });
        } else {
            history.refusals.add(Refused::SoldOut, RequestWindow { attempt, sent_us, answered_us });
        }
    }
    let end_us = (attempts + 1) * GAP_US + 10 * LATENCY_US;
    for (sent_us, stock_left, orders) in [(1, stock as i64, 0), (end_us, 0, stock)] {
        let sale = SaleView {
            item: "default".into(),
            epoch: 1,
            stock,
            stock_left,
            orders,
            queued: 0,
            per_buyer: Some(1),
            ..SaleView::default()
        };
        history.views.add(View { sent_us, answered_us: sent_us + 1, sale });
    }
    history
}
