//! The load generator's self-test.

use seckill::load;
use seckill::settings::Io;

use super::{bench, stderr, stdout};
use crate::support::child::seckill;
use crate::support::skip::skip;

/// Latency without and with correction for the freeze, which lasts 1.4 s.
const SHOWN_FROM_US: u64 = 1_200_000;

#[test]
fn only_corrected_latency_shows_a_server_freeze() {
    only_corrected_latency_shows_it(Io::Epoll);
}

#[test]
fn only_corrected_latency_shows_a_server_freeze_over_io_uring() {
    match load::check_rings(1) {
        Ok(()) => only_corrected_latency_shows_it(Io::Uring),
        Err(cause) => skip(&format!("io_uring cannot be used: {cause}")),
    }
}

fn only_corrected_latency_shows_it(io: Io) {
    let folder = tempfile::tempdir().unwrap();
    // What a job sets for other runs has no effect.
    let mut command = seckill();
    command.current_dir(folder.path()).env("SECKILL_TARGET", "http://127.0.0.1:1");
    let output =
        command.args(["bench", "--self-test", "--json", "--io", io.as_str()]).output().unwrap();
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let freeze = &json["freeze"];
    assert_eq!(output.status.code(), Some(0), "{}\n{json:#}", stderr(&output));
    assert_eq!((&json["passed"], &json["io"]), (&true.into(), &io.as_str().into()));
    // Without the correction, this would equal the service time, and the test would fail.
    assert!(freeze["latency_us"]["p90"].as_u64().unwrap() < SHOWN_FROM_US, "{json:#}");
    assert!(freeze["latency_corrected_us"]["p90"].as_u64().unwrap() >= SHOWN_FROM_US, "{json:#}");
    assert_eq!(freeze["latency_us"]["count"], 6_000, "no arrival was dropped");
}

#[test]
fn self_test_rejects_flags_that_it_does_not_read() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, name) in [
        (&["--spawn"][..], "--spawn"),
        (&["--target=http://127.0.0.1:1"], "--target"),
        (&["-t", "http://127.0.0.1:1"], "--target"),
        (&["--profile", "none.toml"], "--profile"),
        (&["--out", "run"], "--out"),
        (&["--html", "x.html", "--json"], "--html"),
        (&["--fail-if", "p99>1s"], "--fail-if"),
        (&["-c", "5"], "--threads"),
        (&["--quiet"], "--quiet"),
        (&["--", "--stock", "5"], "flags after --"),
    ] {
        let output = bench(folder.path(), &[&["--self-test"], flags].concat());
        let told = format!("{name}: cannot be combined with --self-test");
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(&told), "{flags:?}: {}", stderr(&output));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
