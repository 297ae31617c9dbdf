//! The audit finds the flaws that show on the engines of this process, and the hardened design
//! passes the same loads.

use seckill::flaws::Flaw;
use seckill::judge::Invariant;
use serde_json::Value;

use super::{bench, stderr, stdout};
use crate::support::child::seckill;

/// Exit code and result of a bench with this load, whose server has these flags.
fn result(load: &[&str], server: &[&str]) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let args = [&["--spawn", "--json"], load, &["--"], server].concat();
    let output = bench(folder.path(), &args);
    let json = serde_json::from_slice(&output.stdout);
    (output.status.code(), json.unwrap_or_else(|error| panic!("{error}: {}", stderr(&output))))
}

/// Asserts that the audit names one of these invariants, and that the hardened design passes.
#[track_caller]
fn assert_found(flaw: Flaw, load: &[&str], server: &[&str], invariants: &[&str]) -> Value {
    let (code, hardened) = result(load, server);
    assert_eq!((code, &hardened["audit"]["verdict"]), (Some(0), &"pass".into()), "{hardened:#}");
    let (code, flawed) = result(load, &[server, &["--flaw", flaw.name()]].concat());
    let broken = flawed["audit"]["violations"].as_array().unwrap();
    let is_named = |word: &&str| broken.iter().any(|violation| violation["invariant"] == **word);
    assert!(invariants.iter().any(is_named), "{invariants:?} is not named: {flawed:#}");
    assert_eq!(code, Some(3), "{flawed:#}");
    flawed
}

/// More buyers than units, all at one instant: many attempts are queued before the last unit is
/// sold.
const STAMPEDE: &[&str] = &["--threads", "100", "--stampede"];

#[test]
fn off_by_one_flaw_sells_one_unit_too_many() {
    let result = assert_found(Flaw::OffByOne, STAMPEDE, &[], &["never_oversold"]);
    assert_eq!(result["audit"]["orders"], 11, "{result:#}");
}

#[test]
fn refund_twice_flaw_makes_the_stock_grow() {
    let invariants = ["never_oversold", "stock_conserved"];
    assert_found(Flaw::RefundTwice, STAMPEDE, &[], &invariants);
}

#[test]
fn decrement_without_refund_flaw_loses_units() {
    // Each of five buyers has many attempts queued before the first of them is decided.
    let load = [STAMPEDE, &["--buyers", "5"]].concat();
    let invariants = ["stock_conserved", "no_unsold_stock", "sold_out_true"];
    let flaw = Flaw::DecrementWithoutRefund;
    let result = assert_found(flaw, &load, &["--stock", "100"], &invariants);
    assert!(result["audit"]["orders"].as_u64() <= Some(5), "{result:#}");
}

#[test]
fn lost_result_flaw_leaves_losers_queued() {
    let result = assert_found(Flaw::LostResult, STAMPEDE, &[], &["results_true"]);
    assert_eq!(result["audit"]["orders"], 10, "{result:#}");
}

/// Five buyers cannot buy all of ten units, so the sale is never sold out.
#[test]
fn sticky_sold_out_flaw_closes_a_sale_that_has_units() {
    let load = ["--threads", "20", "--loops", "4", "--buyers", "5"];
    let sold_out = |result: &Value| result["requests"]["by_outcome"]["sold_out"].as_u64();
    let (code, hardened) = result(&load, &[]);
    assert_eq!((code, sold_out(&hardened).unwrap_or(0)), (Some(0), 0), "{hardened:#}");
    let server = ["--flaw", Flaw::StickySoldOut.name()];
    let (code, flawed) = result(&load, &server);
    assert!(sold_out(&flawed) > Some(0), "{flawed:#}");
    assert!(flawed["audit"]["stock_left"].as_i64() >= Some(5), "{flawed:#}");
    // Only refusals are wrong, and to notice that the audit has to look at them.
    let invariants = ["sold_out_true", "refusals_true"];
    if Invariant::ALL.iter().any(|known| invariants.contains(&known.as_str())) {
        let broken = flawed["audit"]["violations"].as_array().unwrap();
        let is_named = |word: &&str| broken.iter().any(|one| one["invariant"] == **word);
        assert!(invariants.iter().any(is_named), "{invariants:?} is not named: {flawed:#}");
        assert_eq!(code, Some(3), "{flawed:#}");
    }
}

#[test]
fn list_of_flaws_has_each_with_its_source() {
    let output = seckill().args(["serve", "--list-flaws"]).output().unwrap();
    let list = stdout(&output);
    let names: Vec<_> = list.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(names, Flaw::ALL.iter().map(|flaw| flaw.name()).collect::<Vec<_>>());
    let sources = list.lines().filter(|line| line.starts_with("    from "));
    let of_article = sources.clone().filter(|line| line.contains("article")).count();
    assert_eq!((sources.count(), of_article), (Flaw::ALL.len(), Flaw::ARTICLE.len()));
}

#[test]
fn flaws_that_do_not_go_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let services = ["--queue", "amqp://127.0.0.1:1", "--store", "redis://127.0.0.1:1"];
    for (flags, problem) in [
        (&["--flaw", "off-by-one,refund-twice"][..], "replace the same step"),
        (&["--flaw", "global-result,lost-result"], "replace the same step"),
        (&["--design", "article", "--flaw", "off-by-one"], "replace the same step"),
        (&["--design", "article", "--flaw", "sticky-sold-out"], "as --design article does"),
        (&["--queue", "embedded", "--flaw", "resend-under-new-id"], "needs --queue amqp://"),
        (&["--store", "embedded", "--flaw", "cache-refill-in-flight"], "needs --store redis://"),
    ] {
        let mut command = seckill();
        command.current_dir(folder.path()).arg("serve").args(flags);
        for [flag, url] in [[services[0], services[1]], [services[2], services[3]]] {
            if !flags.contains(&flag) {
                command.args([flag, url]);
            }
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(problem), "{flags:?}: {}", stderr(&output));
    }
}
