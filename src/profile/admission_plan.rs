//! The part of a server's plan that limits what is admitted, beyond the limits of the sale.

use crate::units::Rate;

use super::check::{FlagError, invalid};
use super::flags::ServeFlags;
use super::network::Network;

/// Most networks of trusted proxies: each may be compared with each address of a request.
const PROXIES_MAX: usize = 64;

/// Limits on what is admitted; by default there are none.
#[derive(Debug, Clone, Default)]
pub struct AdmissionPlan {
    /// Maximum number of attempts of one address per second.
    pub address_rate_limit: Option<Rate>,
    /// The proxies that are believed for which address they ask.
    pub trusted_proxies: Vec<Network>,
}

impl AdmissionPlan {
    /// Checks the flags.
    ///
    /// # Errors
    /// The first invalid flag.
    pub(super) fn new(flags: &ServeFlags) -> Result<Self, FlagError> {
        let trusted_proxies = flags.trusted_proxies.clone().unwrap_or_default();
        if trusted_proxies.len() > PROXIES_MAX {
            let problem = format!("more than {PROXIES_MAX} networks: join some of them");
            return Err(invalid("trusted-proxies", problem));
        }
        if !trusted_proxies.is_empty() && flags.address_rate_limit.is_none() {
            let problem = "needs --address-rate-limit: addresses are used for nothing else";
            return Err(invalid("trusted-proxies", problem));
        }
        Ok(Self { address_rate_limit: flags.address_rate_limit, trusted_proxies })
    }
}
