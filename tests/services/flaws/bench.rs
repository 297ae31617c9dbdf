//! `seckill bench` finds the flaws that a load alone brings out.

use seckill::flaws::Flaw;
use serde_json::Value;

use crate::support::backend::Backend;
use crate::support::deployment::Deployment;

/// Exit code and result of a bench with this load, whose server has these flags.
fn bench(flaw: Option<Flaw>, load: &[&str], server: &[&str]) -> Option<(Option<i32>, Value)> {
    let deployment = Deployment::new(Backend::real()?, flaw);
    let flags = deployment.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let args = [&["--spawn", "--json"], load, &["--"], server, &flags].concat();
    let bench = deployment.bench(&args);
    let printed = String::from_utf8_lossy(&bench.stderr);
    let result =
        serde_json::from_slice(&bench.stdout).unwrap_or_else(|error| panic!("{error}: {printed}"));
    Some((bench.status.code(), result))
}

const FIFTY: [&str; 2] = ["--threads", "50"];

#[test]
fn global_result_flaw_reports_losses_to_winners() {
    let Some((code, result)) = bench(Some(Flaw::GlobalResult), &FIFTY, &[]) else { return };
    let broken = result["audit"]["violations"].as_array().unwrap();
    assert_eq!((code, broken.len()), (Some(3), 1), "{result:#}");
    assert_eq!(broken[0]["invariant"], "results_true", "{result:#}");
    // A result may be read more than once.
    assert!(broken[0]["count"].as_u64() >= Some(10), "every winner: {result:#}");
    let Some((code, result)) = bench(None, &FIFTY, &[]) else { return };
    assert_eq!((code, result["audit"]["orders"].as_u64()), (Some(0), Some(10)), "{result:#}");
}

/// Loads as in the tests of the embedded engines: see `tests/cli/flaws.rs`.
#[test]
fn flaws_of_the_rule_and_of_results_are_found_on_real_services() {
    let stampede = ["--threads", "100", "--stampede"];
    let few_buyers = [&stampede[..], &["--buyers", "5"]].concat();
    for (flaw, load, stock, invariants) in [
        (Flaw::OffByOne, &stampede[..], "10", &["never_oversold"][..]),
        (Flaw::RefundTwice, &stampede, "10", &["never_oversold", "stock_conserved"]),
        (Flaw::DecrementWithoutRefund, &few_buyers, "100", &["stock_conserved", "sold_out_true"]),
        (Flaw::LostResult, &stampede, "10", &["results_true"]),
    ] {
        let server = ["--stock", stock];
        let Some((code, result)) = bench(Some(flaw), load, &server) else { return };
        let broken = result["audit"]["violations"].as_array().unwrap();
        let is_named = |word: &&str| broken.iter().any(|one| one["invariant"] == **word);
        assert!(invariants.iter().any(is_named), "{}: {result:#}", flaw.name());
        assert_eq!(code, Some(3), "{}: {result:#}", flaw.name());
        let Some((code, result)) = bench(None, load, &server) else { return };
        assert_eq!(code, Some(0), "hardened, as {}: {result:#}", flaw.name());
    }
}

#[test]
fn sticky_sold_out_flaw_closes_a_sale_that_has_units() {
    let load = ["--threads", "20", "--loops", "4", "--buyers", "5"];
    let flaw = Some(Flaw::StickySoldOut);
    let Some((_, result)) = bench(flaw, &load, &[]) else { return };
    let sold_out = result["requests"]["by_outcome"]["sold_out"].as_u64();
    assert!(sold_out > Some(0) && result["audit"]["stock_left"].as_i64() >= Some(5), "{result:#}");
}
