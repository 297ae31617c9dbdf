//! The limits on what is admitted that are off unless a flag sets them.

use std::time::Duration;

use crate::profile::AdmissionPlan;
use crate::queue::{Backlog, Room};

use super::address::AddressRateLimit;

/// Attempts at an item that may wait however few units are left: they fill a commit, and the last
/// unit is sold even if some of the buyers that wait for it must not have it.
const ADMIT_MIN: usize = 16;

/// Limits on what is admitted; by default there are none.
#[derive(Debug, Default)]
pub struct AdmissionLimits {
    /// Limits the attempts per second of each address.
    pub address_rate: Option<AddressRateLimit>,
    /// Attempts at an item that may wait for each unit that is left of it.
    pub admit_factor: Option<usize>,
    /// How long an attempt may have to wait for its decision.
    pub wait_max: Option<Duration>,
}

impl AdmissionLimits {
    /// The limits of a plan.
    pub fn new(plan: &AdmissionPlan) -> Self {
        for network in plan.trusted_proxies.iter().filter(|network| network.is_everybody()) {
            tracing::warn!(
                %network,
                "--trusted-proxies trusts everybody to say who they are, so any client can evade \
                 --address-rate-limit: give the addresses of your proxies alone, such as 127.0.0.1 \
                 or 10.0.0.0/8"
            );
        }
        let proxies = || plan.trusted_proxies.clone();
        let address_rate =
            plan.address_rate_limit.map(|rate| AddressRateLimit::new(rate, proxies()));
        Self { address_rate, admit_factor: plan.admit_factor, wait_max: plan.wait_max }
    }

    /// Whether a limit depends on what waits.
    pub(super) fn depend_on_backlog(&self) -> bool {
        self.admit_factor.is_some() || self.wait_max.is_some()
    }

    /// How much of the queue an attempt may fill at an item of which `left` units are left: so many
    /// tenths are kept from it.
    pub(super) fn room(&self, left: i64, tenths_kept: u8) -> Room {
        let tenths_kept = usize::from(tenths_kept);
        let of_item = self.admit_factor.map_or(usize::MAX, |factor| {
            usize::try_from(left).unwrap_or(0).saturating_mul(factor).max(ADMIT_MIN)
        });
        let room = Room { of_item, tenths_kept };
        Room { of_item: room.of(of_item), ..room }
    }

    /// Whether more waits than an attempt with this room may find: then the time until it can come
    /// back, if that is known.
    ///
    /// # Errors
    /// Returns that time when it must not be admitted now.
    pub(super) fn admit(&self, backlog: &Backlog, room: Room) -> Result<(), Option<Duration>> {
        if backlog.of_item >= room.of_item {
            return Err(backlog.wait);
        }
        let Some((wait, max)) = backlog.wait.zip(self.wait_max) else { return Ok(()) };
        let max = max * (10 - room.tenths_kept as u32) / 10;
        if wait > max { Err(Some(wait - max)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn attempts_that_may_wait_follow_from_what_is_left() {
        let limits = AdmissionLimits { admit_factor: Some(10), ..AdmissionLimits::default() };
        let of = |left, kept| limits.room(left, kept).of_item;
        assert_eq!([1_000, 2, 1, 0, -5].map(|left| of(left, 0)), [10_000, 20, 16, 16, 16]);
        assert_eq!([0, 1, 2].map(|kept| of(100, kept)), [1_000, 900, 800]);
        assert_eq!(of(i64::MAX, 0), usize::MAX);
        let backlog = |of_item| Backlog { of_item, wait: Some(SECOND) };
        let room = limits.room(100, 0);
        assert_eq!(limits.admit(&backlog(999), room), Ok(()));
        assert_eq!(limits.admit(&backlog(1_000), room), Err(Some(SECOND)));
    }

    #[test]
    fn attempt_that_would_wait_too_long_is_told_when_it_would_not() {
        let limits = AdmissionLimits { wait_max: Some(10 * SECOND), ..AdmissionLimits::default() };
        let admit = |seconds: Option<u32>, kept| {
            let wait = seconds.map(|seconds| seconds * SECOND);
            limits.admit(&Backlog { of_item: 1 << 40, wait }, limits.room(1, kept))
        };
        assert_eq!(admit(Some(10), 0), Ok(()));
        assert_eq!(admit(Some(13), 0), Err(Some(3 * SECOND)));
        assert_eq!(admit(Some(10), 1), Err(Some(SECOND)), "a tenth is kept");
        assert_eq!(admit(None, 1), Ok(()), "nothing is known");
    }
}
