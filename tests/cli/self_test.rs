//! The load generator's self-test.

use super::{bench, stderr, stdout};

/// Latency without and with correction for the freeze, which lasts 1.4 s.
const SHOWN_FROM_US: u64 = 1_200_000;

#[test]
fn only_corrected_latency_shows_a_server_freeze() {
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &["--self-test", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let freeze = &json["freeze"];
    assert_eq!(output.status.code(), Some(0), "{}\n{json:#}", stderr(&output));
    assert_eq!(json["passed"], true);
    // Without the correction, this would equal the service time, and the test would fail.
    assert!(freeze["latency_us"]["p90"].as_u64().unwrap() < SHOWN_FROM_US, "{json:#}");
    assert!(freeze["latency_corrected_us"]["p90"].as_u64().unwrap() >= SHOWN_FROM_US, "{json:#}");
    assert_eq!(freeze["latency_us"]["count"], 6_000, "no arrival was dropped");
}

#[test]
fn self_test_rejects_target_and_spawn() {
    let folder = tempfile::tempdir().unwrap();
    for flag in ["--spawn", "--target=http://127.0.0.1:1"] {
        let output = bench(folder.path(), &["--self-test", flag]);
        assert_eq!(output.status.code(), Some(2), "{flag}: {}", stderr(&output));
    }
}
