//! The audit finds the flaws that show on the engines of this process, and the hardened design
//! passes the same loads.

use seckill::flaws::Flaw;
use serde_json::Value;

use super::{stderr, stdout};
use crate::support::child::seckill;
use crate::support::flaw_loads::{FLAW_LOADS, FlawLoad};

#[track_caller]
fn assert_found(flaw: Flaw) -> Value {
    FlawLoad::of(flaw).assert_found(Vec::new)
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
fn each_flaw_has_a_load_and_names_what_the_audit_finds() {
    let flaws: Vec<_> = FLAW_LOADS.iter().map(|load| load.flaw).collect();
    assert_eq!(flaws, Flaw::ALL);
    for load in FLAW_LOADS {
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
