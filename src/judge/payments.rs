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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Payment;
    use crate::judge::rules::tests::scene::Scene;

    #[test]
    fn payments_are_counted_by_their_answers() {
        let mut scene = Scene::new();
        assert_eq!(Payments::of(&scene.history), None);
        let request_id = scene.id(0);
        for (answered, count) in [
            (PaymentAnswer::Paid, 1),
            (PaymentAnswer::Expired, 2),
            (PaymentAnswer::Cancelled, 3),
            (PaymentAnswer::UnknownOrder, 4),
            (PaymentAnswer::Refused, 5),
            (PaymentAnswer::Unknown, 6),
        ] {
            let payment = Payment { request_id, answered, told: None, sent_us: 1, answered_us: 2 };
            scene.history.payments.extend(std::iter::repeat_n(payment, count));
        }
        let (paid, expired, cancelled) = (1, 2, 3);
        let (unknown_order, refused, unknown) = (4, 5, 6);
        let counts = Payments { paid, expired, cancelled, unknown_order, refused, unknown };
        assert_eq!(Payments::of(&scene.history), Some(counts));
    }

    #[test]
    fn words_name_the_answers_that_were_given() {
        let all = Payments {
            paid: 1,
            expired: 2,
            cancelled: 3,
            unknown_order: 4,
            refused: 5,
            unknown: 6,
        };
        let expected = "paid 1, expired 2, cancelled 3, unknown order 4, put off 5, unknown 6";
        assert_eq!(all.describe(), expected);
        assert_eq!(Payments { paid: 7, ..Payments::default() }.describe(), "paid 7");
    }
}
