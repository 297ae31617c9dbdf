//! The built-in API, described by a profile, is judged as it is by itself.

use std::process::Output;

use seckill::flaws::Flaw;

use super::{stderr, stdout};
use crate::support::child::{Serving, seckill};
use crate::support::flaw_loads::FlawLoad;

const TOKEN: &str = "s3cret";

/// Loads a server with these flags by the description of its API.
fn bench(load: &FlawLoad, server: &[String]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let flags: Vec<&str> = server.iter().map(String::as_str).collect();
    let data = folder.path().join("data");
    let server = Serving::start(&data, &[&flags[..], &["--admin-token", TOKEN]].concat());
    let profile = std::fs::read_to_string("profiles/seckill-api.toml").unwrap();
    let per_buyer = format!("per_buyer = {}", load.per_buyer);
    let file = folder.path().join("shop.toml");
    std::fs::write(&file, profile.replace("per_buyer = 1", &per_buyer)).unwrap();
    let mut command = seckill();
    command.args(["bench", "--json", "--profile"]).arg(&file).args(load.load);
    command.args(["--target", &server.url]).env("SECKILL_ADMIN_TOKEN", TOKEN).output().unwrap()
}

/// Asserts that the description finds the flaw that the built-in API finds, and that only, and that
/// it passes the hardened design. A run in which the flaw had no effect is repeated.
#[track_caller]
fn assert_found(flaw: Flaw) {
    let load = FlawLoad::on_embedded(flaw).unwrap();
    let hardened = bench(load, &load.server_flags());
    assert_eq!(hardened.status.code(), Some(0), "{}{}", stdout(&hardened), stderr(&hardened));
    let flags = [&load.server_flags()[..], &["--flaw", flaw.name()].map(str::to_owned)].concat();
    let runs = std::iter::repeat_with(|| bench(load, &flags)).take(3);
    let mut runs = runs.skip_while(|bench| bench.status.success());
    let flawed = runs.next().unwrap_or_else(|| panic!("{flaw:?} is not found"));
    assert_eq!(load.check(&flawed), Ok(()), "{flaw:?}: {}", stdout(&flawed));
}

#[test]
fn described_api_oversells_by_off_by_one() {
    assert_found(Flaw::OffByOne);
}

#[test]
fn described_api_oversells_by_refund_twice() {
    assert_found(Flaw::RefundTwice);
}

#[test]
fn described_api_loses_units_by_decrement_without_refund() {
    assert_found(Flaw::DecrementWithoutRefund);
}

#[test]
fn described_api_closes_too_early_by_sticky_sold_out() {
    assert_found(Flaw::StickySoldOut);
}

#[test]
fn described_api_tells_winners_of_losses_by_global_result() {
    assert_found(Flaw::GlobalResult);
}

#[test]
fn described_api_leaves_losers_queued_by_lost_result() {
    assert_found(Flaw::LostResult);
}

#[test]
fn described_api_decides_twice_by_no_dedupe() {
    assert_found(Flaw::NoDedupe);
}

#[test]
fn described_api_loses_accepted_attempts_by_ack_on_error() {
    assert_found(Flaw::AckOnError);
}
