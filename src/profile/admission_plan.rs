//! The part of a server's plan that limits what is admitted, beyond the limits of the sale.

use std::time::Duration;

use crate::units::Rate;

use super::check::{FlagError, count, invalid, time};
use super::flags::ServeFlags;
use super::network::Network;
use super::waiting_room_plan::{WaitingRoomPlan, waiting_room};

/// Most networks of trusted proxies: each may be compared with each address of a request.
const PROXIES_MAX: usize = 64;

/// Largest factor of `--admit-factor`: more than any sale has buyers for each unit.
const FACTOR_MAX: u64 = 1_000_000;

/// Limits on what is admitted; by default there are none.
#[derive(Debug, Clone, Default)]
pub struct AdmissionPlan {
    /// Maximum number of attempts of one address per second.
    pub address_rate_limit: Option<Rate>,
    /// The proxies that are believed for which address they ask.
    pub trusted_proxies: Vec<Network>,
    /// Attempts at an item that may wait for each unit that is left of it.
    pub admit_factor: Option<usize>,
    /// How long an attempt may have to wait for its decision.
    pub wait_max: Option<Duration>,
    /// The waiting room, if there is one.
    pub waiting_room: Option<WaitingRoomPlan>,
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
        let wait_max = time("max-wait", flags.max_wait)?;
        if wait_max.is_some_and(|wait| wait.is_zero()) {
            return Err(invalid("max-wait", "must be above 0"));
        }
        let admit_factor = count("admit-factor", flags.admit_factor, FACTOR_MAX)?;
        Ok(Self {
            address_rate_limit: flags.address_rate_limit,
            trusted_proxies,
            admit_factor: admit_factor.map(|factor| factor as usize),
            wait_max,
            waiting_room: waiting_room(flags)?,
        })
    }
}
