//! `global-result`, as `seckill bench` finds it.

use seckill::flaws::Flaw;
use serde_json::Value;

use super::site::Site;
use super::support::engines::Place;

/// Exit code and result of a bench with a server of its own.
fn bench(flaw: Option<Flaw>) -> Option<(Option<i32>, Value)> {
    let site = Site::new(Place::real()?, flaw);
    let flags = site.flags();
    let server = flags.iter().map(String::as_str);
    let args = ["--spawn", "--threads", "50", "--json", "--"].into_iter().chain(server);
    let args: Vec<&str> = args.collect();
    let bench = site.bench(&args);
    let said = String::from_utf8_lossy(&bench.stderr);
    let result =
        serde_json::from_slice(&bench.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    Some((bench.status.code(), result))
}

#[test]
fn a_global_result_tells_winners_that_they_lost() {
    let Some((code, result)) = bench(Some(Flaw::GlobalResult)) else { return };
    let broken = result["audit"]["violations"].as_array().unwrap();
    assert_eq!((code, broken.len()), (Some(3), 1), "{result:#}");
    assert_eq!(broken[0]["invariant"], "results_true", "{result:#}");
    assert_eq!(broken[0]["count"], 10, "every winner: {result:#}");
    let Some((code, result)) = bench(None) else { return };
    assert_eq!((code, result["audit"]["orders"].as_u64()), (Some(0), Some(10)), "{result:#}");
}
