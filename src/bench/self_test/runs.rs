//! The parameters of the three runs: rates, users and lengths.

use std::time::Duration;

/// When the server is frozen.
pub(super) const FREEZE_AFTER: Duration = Duration::from_secs(2);

/// How long it is frozen.
pub(super) const FREEZE: Duration = Duration::from_secs(2);

/// The whole run with the freeze.
pub(super) const FROZEN_RUN: Duration = Duration::from_secs(6);

/// Its rate and users. There are few users, so that all of them wait for the frozen server and the
/// attempts that are due meanwhile are delayed.
pub(super) const FROZEN_RATE: u64 = 1_000;
pub(super) const FROZEN_THREADS: u64 = 64;

/// The rate of the run that measures the precision of the pacing.
pub(super) const PACED_RATE: u64 = 5_000;

/// Connections of the run that measures the ceiling.
pub(super) const CEILING_THREADS: u64 = 64;

/// Length of these two runs.
pub(super) const MEASURED: Duration = Duration::from_secs(3);
