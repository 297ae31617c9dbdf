//! A server that is right is not accused, whatever its clients and its host do to it.

use crate::support::backend::Backend;
use crate::support::right_run::Campaign;

/// Runs in CI; `SECKILL_RIGHT_RUNS` sets more.
const RUNS: u64 = 8;

#[test]
fn right_server_is_never_accused() {
    let campaign = Campaign::run(RUNS, &|_| Backend::new(false, false));
    assert!(campaign.passed > 0, "{campaign:#?}");
}
