//! How the payments for held orders were answered. Figures, and no accusation.

use serde::{Deserialize, Serialize};

use crate::history::{History, PaymentAnswer};

/// The payments of a run, each request counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    /// Honoured.
    pub paid: u64,
    /// Refused, since the order had expired.
    pub expired: u64,
    /// Refused, since the order had been given back.
    pub cancelled: u64,
    /// Refused, since the tested system knew no such order.
    pub unknown_order: u64,
    /// Put off, without an effect.
    pub refused: u64,
    /// Without a usable answer.
    pub unknown: u64,
}

impl Payments {
    /// Counts the payments of a history; `None` if there were none.
    pub(super) fn of(history: &History) -> Option<Self> {
        let mut counts = Self::default();
        for payment in &history.payments {
            *match payment.answered {
                PaymentAnswer::Paid => &mut counts.paid,
                PaymentAnswer::Expired => &mut counts.expired,
                PaymentAnswer::Cancelled => &mut counts.cancelled,
                PaymentAnswer::UnknownOrder => &mut counts.unknown_order,
                PaymentAnswer::Refused => &mut counts.refused,
                PaymentAnswer::Unknown => &mut counts.unknown,
            } += 1;
        }
        (counts != Self::default()).then_some(counts)
    }

    /// The counts above 0 in words.
    pub fn describe(&self) -> String {
        let Self { paid, expired, cancelled, unknown_order, refused, unknown } = *self;
        let counts = [
            ("paid", paid),
            ("expired", expired),
            ("cancelled", cancelled),
            ("unknown order", unknown_order),
            ("put off", refused),
            ("unknown", unknown),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        counts.map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", ")
    }
}
