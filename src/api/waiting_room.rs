//! The shapes of the bodies of the waiting room.

use serde::{Deserialize, Serialize};

/// Body of `POST /waiting-room/tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeTicket {
    /// The buyer that the ticket is for.
    pub uid: String,
    /// May be left out while exactly one sale is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// Answer of `POST /waiting-room/tickets` and `GET /waiting-room/tickets/{ticket}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketStatus {
    /// `waiting` or `admitted`.
    pub status: String,
    /// The ticket to use from now on; one that is admitted lets its buyer make attempts.
    pub ticket: String,
    /// The item that the ticket is for.
    pub item: String,
    /// How many places are admitted before this one, whether or not their buyers still come; absent
    /// while that is not decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// An estimate of the time until it is admitted, in milliseconds; until the opening, where the
    /// position is not decided before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u64>,
    /// Until when the ticket is valid: microseconds since the Unix epoch.
    pub expires_us: u64,
}
