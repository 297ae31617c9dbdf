//! Loads a server whose disk needs longer for a sync than the one of this machine: how many
//! attempts it accepts, and how soon it decides them. `-- 5` measures at 5 ms for a sync only.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/cli/preload.rs"]
mod preload;
#[macro_use]
mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The least time that a sync takes, in milliseconds.
const SYNCS_MS: [u64; 3] = [1, 5, 20];

/// Buyers at a time.
const CONNECTIONS: [u64; 3] = [350, 1_000, 2_000];

fn main() {
    // The folder is in the target folder, because a temporary folder may be in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let Some(library) = preload::library(folder.path(), "slow_disk.c") else {
        println!("skipped in part: benchmarks (slow_disk needs a C compiler)");
        return;
    };
    support::raise_file_limit();
    let (connections, rounds) = match support::is_test() {
        true => (&CONNECTIONS[..1], 1),
        false => (&CONNECTIONS[..], support::ROUNDS),
    };
    figure!("a sync takes  connections  accepted/s  refused  decided after, median    99 %");
    for sync_ms in support::wanted(&SYNCS_MS) {
        for connections in connections {
            let measure = |_| Measured::new(&library, sync_ms, *connections);
            let measured: Vec<_> = (0..rounds).map(measure).collect();
            let median = |figure: fn(&Measured) -> f64| {
                support::median(measured.iter().map(figure).collect())
            };
            figure!(
                "{sync_ms:>9} ms {connections:>12} {:>11.0} {:>6.1} % {:>19.1} ms {:>4.1} ms",
                median(|m| m.accepted_per_second),
                median(|m| m.refused_percent),
                median(|m| m.decided_p50_ms),
                median(|m| m.decided_p99_ms),
            );
        }
    }
}

/// What a load of a fresh server showed.
struct Measured {
    accepted_per_second: f64,
    refused_percent: f64,
    decided_p50_ms: f64,
    decided_p99_ms: f64,
}

impl Measured {
    fn new(library: &Path, sync_ms: u64, connections: u64) -> Self {
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_seckill"));
        command.env("LD_PRELOAD", library).env("SYNC_US", (sync_ms * 1_000).to_string());
        let duration = if support::is_test() { "1s" } else { "3s" };
        command.args(["bench", "--spawn", "--json", "--duration", duration]);
        command.args(support::generator::IO).args(["--threads", &connections.to_string()]);
        command.args(["--", "--stock", "4000M", "--data"]).arg(data.path());
        let ran = command.output().unwrap();
        let json: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_ne!(json["audit"]["verdict"], "fail", "{json}");
        let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_f64).unwrap();
        let (total, accepted) = (number("/requests/total"), number("/requests/by_outcome/queued"));
        Self {
            accepted_per_second: accepted * 1e6 / number("/requests/elapsed_us"),
            refused_percent: 100.0 * (total - accepted) / total,
            decided_p50_ms: number("/settle_us/p50") / 1e3,
            decided_p99_ms: number("/settle_us/p99") / 1e3,
        }
    }
}
