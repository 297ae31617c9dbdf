//! The lines of a history file.

use serde::{Deserialize, Serialize};

use crate::ids::{ItemId, OrderId, RequestId};

use super::{
    Answered, Asked, AttemptNo, Entry, History, Ids, Loss, NoState, OrderStatus, Payment, Refused,
    ResultRead, Standstill, Status, Tally, View,
};

/// One line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Line {
    /// The first line.
    Run {
        /// The version of the format.
        history: u32,
        ids: Ids,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        fresh_ids: bool,
        item: ItemId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected_stock: Option<u64>,
        began_us: u64,
        #[serde(default)]
        ended_us: u64,
        #[serde(default)]
        ledger_us: u64,
        /// Attempts of each virtual user, in their order, as runs: `[attempts, users]`.
        sent: Vec<(u64, u64)>,
    },
    /// An attempt that was not refused.
    Attempt(AttemptLine),
    /// Requests that were answered alike.
    Tally { of: Told, tally: Tally },
    /// A state of the sale.
    View { view: View },
    /// A result that was requested.
    Result {
        request_id: RequestId,
        result: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_id: Option<OrderId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderStatus>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_until_us: Option<u64>,
        sent_us: u64,
        answered_us: u64,
    },
    /// A payment for an order.
    Payment { payment: Payment },
    /// The last line.
    End {
        entries: u64,
        tallies: u64,
        views: u64,
        results: u64,
        #[serde(default, skip_serializing_if = "is_zero")]
        payments: u64,
        asked: Asked,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standstill: Option<Standstill>,
        #[serde(default)]
        sent_again: Asked,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        no_states: Vec<NoState>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// An attempt that was not refused.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttemptLine {
    pub(super) thread: u32,
    pub(super) index: u64,
    pub(super) answered: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order_id: Option<OrderId>,
    pub(super) sent_us: u64,
    pub(super) answered_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<RefusalLine>,
}

/// A final refusal of an attempt that was not only refused.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusalLine {
    pub(super) refused: Refused,
    pub(super) sent_us: u64,
    pub(super) answered_us: u64,
    pub(super) was_accepted: bool,
}

/// What the requests of a tally have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    Refused(Refused),
    Contradictory,
    WithoutRetryAfter,
}

/// An answer or a result. For a result, `unknown` means that the tested system did not know the
/// attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    Accepted,
    Queued,
    Won,
    /// Lost, without a reason.
    Lost,
    LostSoldOut,
    LostAlreadyBought,
    LostSaleReplaced,
    LostUndeliverable,
    LostForeign,
    Unknown,
}

impl Word {
    fn of_loss(loss: Loss) -> Self {
        match loss {
            Loss::SoldOut => Self::LostSoldOut,
            Loss::AlreadyBought => Self::LostAlreadyBought,
            Loss::SaleReplaced => Self::LostSaleReplaced,
            Loss::Undeliverable => Self::LostUndeliverable,
            Loss::Unstated => Self::Lost,
            Loss::Foreign => Self::LostForeign,
        }
    }

    /// The reason, if it is a loss.
    pub(super) fn loss(self) -> Option<Loss> {
        match self {
            Self::Lost => Some(Loss::Unstated),
            Self::LostSoldOut => Some(Loss::SoldOut),
            Self::LostAlreadyBought => Some(Loss::AlreadyBought),
            Self::LostSaleReplaced => Some(Loss::SaleReplaced),
            Self::LostUndeliverable => Some(Loss::Undeliverable),
            Self::LostForeign => Some(Loss::Foreign),
            Self::Accepted | Self::Queued | Self::Won | Self::Unknown => None,
        }
    }
}

/// The line of an attempt.
pub(super) fn attempt_line(entry: &Entry) -> Line {
    let Entry { attempt, answered, sent_us, answered_us, refusal } = entry;
    let (answered, order_id) = match answered {
        Answered::Accepted => (Word::Accepted, None),
        Answered::Won(order_id) => (Word::Won, Some((**order_id).clone())),
        Answered::Lost(loss) => (Word::of_loss(*loss), None),
        Answered::Unknown => (Word::Unknown, None),
    };
    let refusal = refusal.as_deref().map(|refusal| RefusalLine {
        refused: refusal.refused,
        sent_us: refusal.request.sent_us,
        answered_us: refusal.request.answered_us,
        was_accepted: refusal.was_accepted,
    });
    let (sent_us, answered_us) = (*sent_us, *answered_us);
    let AttemptNo { thread, index } = *attempt;
    Line::Attempt(AttemptLine { thread, index, answered, order_id, sent_us, answered_us, refusal })
}

/// The line of a result.
pub(super) fn result_line(read: &ResultRead) -> Line {
    let ResultRead { request_id, status, order, held_until_us, sent_us, answered_us } = read;
    let (result, order_id) = match status {
        Some(Status::Queued) => (Word::Queued, None),
        Some(Status::Won(order_id)) => (Word::Won, Some(order_id.clone())),
        Some(Status::Lost(loss)) => (Word::of_loss(*loss), None),
        None => (Word::Unknown, None),
    };
    let (request_id, order, held_until_us) = (*request_id, *order, *held_until_us);
    let (sent_us, answered_us) = (*sent_us, *answered_us);
    Line::Result { request_id, result, order_id, order, held_until_us, sent_us, answered_us }
}

/// The tallies of a history that have lines.
pub(super) fn tallies(history: &History) -> impl Iterator<Item = (Told, &Tally)> {
    let refusals = history.refusals.iter().map(|(refused, tally)| (Told::Refused(refused), tally));
    let others = [
        (Told::Contradictory, &history.contradictory),
        (Told::WithoutRetryAfter, &history.without_retry_after),
    ];
    refusals.chain(others).filter(|(_, tally)| tally.count > 0)
}

/// The last line of a history.
pub(super) fn end_line(history: &History) -> Line {
    Line::End {
        entries: history.entries.len() as u64,
        tallies: tallies(history).count() as u64,
        views: history.views.iter().len() as u64,
        results: history.results.len() as u64,
        payments: history.payments.len() as u64,
        asked: history.asked,
        standstill: history.standstill,
        sent_again: history.sent_again,
        no_states: history.views.no_states().to_vec(),
    }
}
