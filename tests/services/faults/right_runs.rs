//! A server with a broker and Redis that is right is not accused, whatever its clients and its host
//! do to it.

use crate::support::backend::Backend;
use crate::support::right_run::Campaign;

/// Runs in CI; `SECKILL_RIGHT_RUNS` sets more.
const RUNS: u64 = 2;

#[test]
fn right_server_is_never_accused() {
    if Backend::real().is_none() {
        return;
    }
    let campaign = Campaign::run(RUNS, &|_| Backend::new(true, true));
    assert!(campaign.passed > 0, "{campaign:#?}");
}
