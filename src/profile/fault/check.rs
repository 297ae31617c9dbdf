//! Checks the flags of faults together.

use std::time::Duration;

use super::super::check::{FlagError, invalid};
use super::super::flags::BenchFlags;
use super::Fault;

/// Maximum number of faults of a plan.
const FAULTS_MAX: usize = 1_000;

/// Checks the faults together with the length of the load.
pub(in crate::profile) fn check(
    flags: &BenchFlags,
    duration: Option<Duration>,
) -> Result<Vec<Fault>, FlagError> {
    if flags.nemesis.is_some() && duration.is_none() {
        return Err(invalid("nemesis", "breaks parts until the load is over: add --duration 10m"));
    }
    let faults = flags.fault.clone().unwrap_or_default();
    if faults.len() > FAULTS_MAX {
        return Err(invalid("fault", format!("{} are over {FAULTS_MAX}", faults.len())));
    }
    let warmup = flags.warmup.map_or(Duration::ZERO, |span| span.0);
    if let Some(fault) = faults.iter().find(|fault| fault.at.is_before(warmup)) {
        let problem = "begins in the --warmup, whose requests are in no figure";
        return Err(invalid("fault", format!("`{fault}` {problem}")));
    }
    match faults.iter().find(|fault| fault.at.is_after(duration)) {
        None => Ok(faults),
        Some(fault) => Err(invalid("fault", format!("`{fault}` begins after the load has ended"))),
    }
}
