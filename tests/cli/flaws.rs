//! The audit finds the flaws that show on the engines of this process, and the hardened design
//! passes the same loads.

use seckill::flaws::{Engines, Flaw};
use serde_json::Value;

use super::{bench, stderr, stdout};
use crate::support::child::{Serving, seckill};
use crate::support::client::get;
use crate::support::flaw_loads::{EMBEDDED_LOADS, FLAW_LOADS, FlawLoad};

#[track_caller]
fn assert_found(flaw: Flaw) -> Value {
    FlawLoad::on_embedded(flaw).unwrap().assert_found(Vec::new)
}

#[test]
fn global_result_flaw_reports_losses_to_winners() {
    let result = assert_found(Flaw::GlobalResult);
    // A result may be read more than once.
    let count = &result["audit"]["violations"][0]["count"];
    assert!(count.as_u64() >= Some(10), "every winner: {result:#}");
}

#[test]
fn off_by_one_flaw_sells_one_unit_too_many() {
    let result = assert_found(Flaw::OffByOne);
    assert_eq!(result["audit"]["orders"], 11, "{result:#}");
}

#[test]
fn refund_twice_flaw_makes_the_stock_grow() {
    assert_found(Flaw::RefundTwice);
}

#[test]
fn decrement_without_refund_flaw_loses_units() {
    let result = assert_found(Flaw::DecrementWithoutRefund);
    assert!(result["audit"]["orders"].as_u64() <= Some(5), "{result:#}");
}

#[test]
fn lost_result_flaw_leaves_losers_queued() {
    let result = assert_found(Flaw::LostResult);
    assert_eq!(result["audit"]["orders"], 10, "{result:#}");
}

/// The state of the sale is the same long before and long after the moment from which on each
/// result has to be a decision.
#[test]
fn lost_result_flaw_is_found_after_the_sale_has_been_sold_out_for_seconds() {
    let load = &["--threads", "100", "--loops", "3", "--think", "1s"];
    FlawLoad { load, ..*FlawLoad::of(Flaw::LostResult) }.assert_found(Vec::new);
}

#[test]
fn sticky_sold_out_flaw_closes_a_sale_that_has_units() {
    let result = assert_found(Flaw::StickySoldOut);
    assert!(result["audit"]["stock_left"].as_i64() >= Some(5), "{result:#}");
}

#[test]
fn double_refund_flaw_gives_units_back_twice() {
    assert_found(Flaw::DoubleRefund);
}

#[test]
fn pay_after_expiry_flaw_sells_units_twice() {
    let result = assert_found(Flaw::PayAfterExpiry);
    assert!(result["audit"]["oversold"].as_u64() >= Some(1), "{result:#}");
}

#[test]
fn check_then_act_flaw_oversells() {
    let result = assert_found(Flaw::CheckThenAct);
    assert!(result["audit"]["oversold"].as_u64() >= Some(1), "{result:#}");
}

/// All orders expire, so that none is left in the end.
#[test]
fn check_then_act_flaw_oversells_orders_that_are_held() {
    let folder = tempfile::tempdir().unwrap();
    let server = ["--flaw", "check-then-act", "--consumers", "8", "--hold", "1s"];
    let args = ["--spawn", "--stampede", "--threads", "300", "--pay", "0%", "--json", "--"];
    let output = bench(folder.path(), &[&args[..], &server[..]].concat());
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let audit = &result["audit"];
    assert_eq!(output.status.code(), Some(3), "{audit:#}");
    assert!(audit["oversold"].as_u64() >= Some(1), "{audit:#}");
    assert_eq!(audit["violations"][0]["invariant"], "never_oversold", "{audit:#}");
}

#[test]
fn check_then_act_flaw_needs_several_consumers() {
    let folder = tempfile::tempdir().unwrap();
    let load = FlawLoad { server: &[], ..*FlawLoad::on_embedded(Flaw::CheckThenAct).unwrap() };
    let output = load.spawn(folder.path(), &["--flaw".into(), "check-then-act".into()]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn ack_on_error_flaw_loses_the_attempts_of_a_batch_that_failed() {
    assert_found(Flaw::AckOnError);
}

#[test]
fn ack_before_apply_flaw_loses_the_attempts_of_a_batch_that_failed() {
    assert_found(Flaw::AckBeforeApply);
}

#[test]
fn no_dedupe_flaw_decides_an_attempt_twice() {
    assert_found(Flaw::NoDedupe);
}

/// The journal has the decisions, and a restart with the same flaw reads them again.
#[test]
fn sale_of_a_flawed_server_is_there_after_a_restart() {
    for flaw in ["check-then-act", "no-dedupe", "check-then-act,no-dedupe"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("seckill-data");
        let flags = ["--flaw", flaw, "--consumers", "8", "--per-buyer", "2"];
        let server = Serving::start(&data, &flags);
        let args = ["--target", &server.url, "--stampede", "--threads", "100", "--quiet"];
        let first = bench(folder.path(), &args);
        assert_eq!(first.status.code(), Some(3), "{flaw}: {}{}", stdout(&first), stderr(&first));
        let figures = |url: &str| {
            let sale: Value = serde_json::from_slice(&get(&format!("{url}/result"))).unwrap();
            ["orders", "stock_left"].map(|key| sale[key].clone())
        };
        let before = figures(&server.url);
        drop(server);
        let server = Serving::start(&data, &flags);
        assert_eq!(figures(&server.url), before, "{flaw}");
    }
}

#[test]
fn each_flaw_that_any_engine_can_have_has_a_load_on_the_embedded_ones() {
    for flaw in Flaw::ALL {
        let is_embedded = FlawLoad::on_embedded(*flaw).is_some();
        assert_eq!(is_embedded, flaw.engines() == Engines::Any, "{flaw:?}");
    }
}

#[test]
fn each_flaw_has_a_load_and_names_what_the_audit_finds() {
    let flaws: Vec<_> = FLAW_LOADS.iter().map(|load| load.flaw).collect();
    assert_eq!(flaws, Flaw::ALL);
    for load in FLAW_LOADS.iter().chain(EMBEDDED_LOADS) {
        let word = load.finding.invariant().map_or("http_500", |invariant| invariant.as_str());
        assert!(load.flaw.breaks().contains(word), "{word} is not what {:?} breaks", load.flaw);
    }
}

#[test]
fn list_of_flaws_has_each_with_its_source() {
    let output = seckill().args(["serve", "--list-flaws"]).output().unwrap();
    let list = stdout(&output);
    let names: Vec<_> = list.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(names, Flaw::ALL.iter().map(|flaw| flaw.name()).collect::<Vec<_>>());
    assert!(list.contains("    engines embedded, RabbitMQ and Redis\n"), "{list}");
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
        (&["--flaw", "double-refund,pay-after-expiry"], "replace the same step"),
        (&["--flaw", "check-then-act", "--hold", "1m"], "are not held"),
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
