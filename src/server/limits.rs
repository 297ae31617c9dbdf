//! The limits on what is admitted that are off unless a flag sets them.

use crate::profile::AdmissionPlan;

use super::address::AddressRateLimit;

/// Limits on what is admitted; by default there are none.
#[derive(Debug, Default)]
pub struct AdmissionLimits {
    /// Limits the attempts per second of each address.
    pub address_rate: Option<AddressRateLimit>,
}

impl AdmissionLimits {
    /// The limits of a plan.
    pub fn new(plan: &AdmissionPlan) -> Self {
        let AdmissionPlan { address_rate_limit, trusted_proxies } = plan;
        let address_rate =
            address_rate_limit.map(|rate| AddressRateLimit::new(rate, trusted_proxies.clone()));
        Self { address_rate }
    }
}
