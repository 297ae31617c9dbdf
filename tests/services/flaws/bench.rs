//! `seckill bench` finds the flaw `global-result`.

use seckill::flaws::Flaw;
use serde_json::Value;

use crate::support::backend::Backend;
use crate::support::deployment::Deployment;

/// Exit code and result of a bench that spawns its server.
fn bench(flaw: Option<Flaw>) -> Option<(Option<i32>, Value)> {
    let deployment = Deployment::new(Backend::real()?, flaw);
    let flags = deployment.flags();
    let server = flags.iter().map(String::as_str);
    let args = ["--spawn", "--threads", "50", "--json", "--"].into_iter().chain(server);
    let args: Vec<&str> = args.collect();
    let bench = deployment.bench(&args);
    let printed = String::from_utf8_lossy(&bench.stderr);
    let result =
        serde_json::from_slice(&bench.stdout).unwrap_or_else(|error| panic!("{error}: {printed}"));
    Some((bench.status.code(), result))
}

#[test]
fn global_result_flaw_reports_losses_to_winners() {
    let Some((code, result)) = bench(Some(Flaw::GlobalResult)) else { return };
    let broken = result["audit"]["violations"].as_array().unwrap();
    assert_eq!((code, broken.len()), (Some(3), 1), "{result:#}");
    assert_eq!(broken[0]["invariant"], "results_true", "{result:#}");
    assert_eq!(broken[0]["count"], 10, "every winner: {result:#}");
    let Some((code, result)) = bench(None) else { return };
    assert_eq!((code, result["audit"]["orders"].as_u64()), (Some(0), Some(10)), "{result:#}");
}
