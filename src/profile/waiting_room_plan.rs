//! The part of a server's plan that is about its waiting room.

use std::time::Duration;

use crate::flaws::Design;
use crate::secret::{EngineUrl, Secret};
use crate::settings::RoomOrder;
use crate::units::{Rate, Span};

use super::check::{FlagError, invalid, refuse, time};
use super::flags::ServeFlags;

/// Shortest secret, in bytes: one that is shorter can be guessed.
const SECRET_LEN_MIN: usize = 16;

/// A waiting room.
#[derive(Debug, Clone)]
pub struct WaitingRoomPlan {
    /// The order in which tickets are admitted.
    pub order: RoomOrder,
    /// What signs the tickets; without one, the server generates one.
    pub secret: Option<Secret>,
    /// Tickets that are admitted per second; without one, as many as the server can take.
    pub rate: Option<Rate>,
    /// How long a ticket is valid after the opening, after it was last asked for, and after it was
    /// admitted.
    pub ticket_ttl: Duration,
}

/// Checks the flags; `None` if there is no waiting room.
pub(super) fn waiting_room(flags: &ServeFlags) -> Result<Option<WaitingRoomPlan>, FlagError> {
    let Some(order) = flags.waiting_room else {
        let needs = "needs --waiting-room first-come|shuffled";
        return refuse(&[
            ("waiting-room-secret", flags.waiting_room_secret.is_some(), needs),
            ("waiting-room-rate", flags.waiting_room_rate.is_some(), needs),
            ("ticket-ttl", flags.ticket_ttl.is_some(), needs),
        ])
        .map(|()| None);
    };
    if flags.design == Some(Design::Article) {
        let problem = "--design article admits attempts without any check";
        return Err(invalid("waiting-room", problem));
    }
    let secret = flags.waiting_room_secret.clone();
    if secret.as_ref().is_some_and(|Secret(secret)| secret.len() < SECRET_LEN_MIN) {
        let problem = format!("must have at least {SECRET_LEN_MIN} bytes");
        return Err(invalid("waiting-room-secret", problem));
    }
    let ttl = flags.ticket_ttl.or(Some(Span(Duration::from_secs(600))));
    let ticket_ttl = time("ticket-ttl", ttl)?.unwrap_or_default();
    if ticket_ttl < Duration::from_secs(1) {
        return Err(invalid("ticket-ttl", "must be at least 1s"));
    }
    Ok(Some(WaitingRoomPlan { order, secret, rate: flags.waiting_room_rate, ticket_ttl }))
}

/// Checks that the rate is given where several processes may admit: none of them could measure what
/// all of them can take.
pub(super) fn check_rate(flags: &ServeFlags) -> Result<(), FlagError> {
    let is_shared = |url: &Option<EngineUrl>| url.as_ref().is_some_and(|url| !url.is_embedded());
    let needs_rate = is_shared(&flags.queue) || is_shared(&flags.store);
    if flags.waiting_room.is_some() && flags.waiting_room_rate.is_none() && needs_rate {
        let problem = "needs --waiting-room-rate N/s, unless queue and store are embedded";
        return Err(invalid("waiting-room", problem));
    }
    Ok(())
}
