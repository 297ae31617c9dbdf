//! Ways to break each invariant.

use seckill::history::{Answered, Loss, Status, Views};
use seckill::judge::Invariant;

use super::scene::{LOST, LOST_IN_ANSWER, LOST_UNANSWERED, Scene, WON, WON_IN_ANSWER};
use super::{order, order_id};

/// A loss as in a sale without units.
const SOLD_OUT: Status = Status::Lost(Loss::SoldOut);

/// A loss that says nothing about the units that were left.
const UNDELIVERABLE: Status = Status::Lost(Loss::Undeliverable);

/// A way to break one invariant.
pub(super) struct Break {
    pub(super) name: &'static str,
    pub(super) invariant: Invariant,
    /// Invariants that necessarily break together with it.
    pub(super) with: &'static [Invariant],
    /// Breaks it, and returns the only witness.
    pub(super) doing: fn(&mut Scene) -> String,
}

impl Break {
    const fn new(
        invariant: Invariant,
        name: &'static str,
        doing: fn(&mut Scene) -> String,
    ) -> Self {
        Self { name, invariant, with: &[], doing }
    }

    const fn with(mut self, with: &'static [Invariant]) -> Self {
        self.with = with;
        self
    }
}

/// At least one way for each invariant.
pub(super) fn breaks() -> Vec<Break> {
    let mut breaks = breaks_of_stock();
    breaks.extend(breaks_of_ledger());
    breaks.extend(breaks_of_answers());
    breaks.extend(breaks_of_before());
    breaks
}

fn breaks_of_stock() -> Vec<Break> {
    vec![
        Break::new(Invariant::NeverOversold, "an update of the counter was lost", |scene| {
            scene.entry(LOST_IN_ANSWER).answered = Answered::Accepted;
            scene.decide(LOST_IN_ANSWER, order(4))
        })
        .with(&[Invariant::StockConserved]),
        Break::new(Invariant::StockNeverNegative, "a decrement too many", |scene| {
            scene.change_sale(|sale| sale.stock_left = -1);
            "stock_left -1".into()
        })
        .with(&[Invariant::StockConserved]),
        Break::new(Invariant::StockConserved, "a decrement without an order", |scene| {
            scene.set_stock(4);
            // They show the same.
            scene.history.views = Views::default();
            "stock 4, left 0, orders 3".into()
        }),
        Break::new(Invariant::NoUnsoldStock, "a refusal as sold out came too soon", |scene| {
            scene.set_stock(4);
            scene.change_sale(|sale| sale.stock_left = 1);
            scene.id(LOST_IN_ANSWER)
        })
        .with(&[Invariant::SoldOutTrue]),
    ]
}

fn breaks_of_ledger() -> Vec<Break> {
    vec![
        Break::new(Invariant::OrderIdsUnique, "an order id twice", |scene| {
            scene.decide(WON, order(2));
            order_id(2).to_string()
        }),
        Break::new(Invariant::RequestIdsUnique, "a redelivery was decided again", |scene| {
            scene.ledger.rows.push(scene.ledger.rows[LOST].clone());
            scene.id(LOST)
        }),
        Break::new(Invariant::BuyerLimit, "two orders for one buyer", |scene| {
            scene.set_stock(4);
            scene.decide(LOST, order(4));
            format!("{} has 2", scene.ledger.rows[LOST].uid)
        }),
        Break::new(Invariant::OrdersWereSent, "an order under another run's id", |scene| {
            scene.set_stock(4);
            scene.add_foreign(order(4))
        }),
        Break::new(Invariant::OrdersWereSent, "an order of a later attempt", |scene| {
            scene.set_stock(4);
            scene.add(3, 2, order(4))
        }),
        Break::new(Invariant::OrdersWereSent, "an order of a later user", |scene| {
            scene.set_stock(4);
            scene.add(4, 0, order(4))
        }),
        Break::new(Invariant::RefusalsHold, "a refused attempt lost", |scene| {
            scene.add(3, 1, SOLD_OUT)
        }),
        Break::new(Invariant::RefusalsHold, "a refused attempt is queued", |scene| {
            scene.add(3, 1, Status::Queued)
        }),
        Break::new(Invariant::RefusalsHold, "a refused attempt won", |scene| {
            scene.set_stock(4);
            scene.add(3, 1, order(4))
        }),
        Break::new(Invariant::AcceptedKept, "an accepted attempt is gone", |scene| {
            let id = scene.id(LOST);
            scene.ledger.rows.remove(LOST);
            id
        }),
        Break::new(Invariant::AcceptedKept, "an attempt answered as lost is gone", |scene| {
            let id = scene.id(LOST_IN_ANSWER);
            scene.ledger.rows.remove(LOST_IN_ANSWER);
            id
        }),
        Break::new(Invariant::AcceptedDecided, "an accepted attempt is not decided", |scene| {
            scene.decide(LOST, Status::Queued)
        }),
    ]
}

fn breaks_of_answers() -> Vec<Break> {
    vec![
        Break::new(Invariant::AnswersTrue, "another order than was answered", |scene| {
            scene.decide(WON_IN_ANSWER, order(9))
        }),
        Break::new(Invariant::AnswersTrue, "answered won, but lost", |scene| {
            scene.entry(LOST).answered = Answered::Won(Box::new(order_id(1)));
            scene.id(LOST)
        }),
        Break::new(Invariant::AnswersTrue, "answered lost, but won", |scene| {
            scene.entry(WON).answered = Answered::Lost(Loss::SoldOut);
            scene.id(WON)
        }),
        Break::new(Invariant::AnswersTrue, "answered lost for another reason", |scene| {
            scene.entry(LOST).answered = Answered::Lost(Loss::SoldOut);
            scene.id(LOST)
        }),
        Break::new(Invariant::AnswersTrue, "answered lost, but not decided", |scene| {
            scene.decide(LOST_IN_ANSWER, Status::Queued)
        })
        .with(&[Invariant::AcceptedDecided]),
        Break::new(Invariant::AnswersTrue, "an order for another buyer", |scene| {
            scene.ledger.rows[WON].uid = "somebody".into();
            scene.id(WON)
        })
        // Its right buyer has another attempt that lost as already bought.
        .with(&[Invariant::RowsSane]),
        Break::new(Invariant::AnswersTrue, "an order of another item", |scene| {
            scene.ledger.rows[WON].item = "coffee".into();
            scene.id(WON)
        }),
        Break::new(Invariant::AnswersTrue, "an unanswered attempt of another buyer", |scene| {
            scene.ledger.rows[LOST_UNANSWERED].uid = "somebody".into();
            scene.id(LOST_UNANSWERED)
        }),
        Break::new(Invariant::ResultsTrue, "a winner polls a loss", |scene| {
            scene.add_result(WON, Some(SOLD_OUT))
        }),
        Break::new(Invariant::ResultsTrue, "a loser polls a win", |scene| {
            scene.add_result(LOST, Some(order(1)))
        }),
        Break::new(Invariant::ResultsTrue, "a loser polls another reason", |scene| {
            scene.add_result(LOST, Some(SOLD_OUT))
        }),
        Break::new(Invariant::ResultsTrue, "another order is polled", |scene| {
            scene.add_result(WON, Some(order(2)))
        }),
        Break::new(Invariant::ResultsTrue, "a result is never written", |scene| {
            scene.add_result(LOST, Some(Status::Queued))
        }),
        Break::new(Invariant::ResultsTrue, "the result is unknown", |scene| {
            scene.add_result(LOST, None)
        }),
        Break::new(
            Invariant::ResultsTrue,
            "an unanswered attempt polls a loss, and is gone",
            |scene| {
                let id = scene.add_result(LOST_UNANSWERED, Some(SOLD_OUT));
                scene.ledger.rows.remove(LOST_UNANSWERED);
                id
            },
        ),
    ]
}

fn breaks_of_before() -> Vec<Break> {
    vec![
        Break::new(Invariant::EarlierKept, "an earlier run's loser is gone", |scene| {
            scene.add_earlier_before(UNDELIVERABLE)
        }),
        Break::new(Invariant::EarlierKept, "an earlier run's queued attempt is gone", |scene| {
            scene.add_earlier_before(Status::Queued)
        }),
        Break::new(Invariant::EarlierKept, "an earlier run's decision was taken back", |scene| {
            scene.add_earlier_now(Status::Queued);
            scene.add_earlier_before(UNDELIVERABLE)
        }),
        Break::new(Invariant::EarlierKept, "an earlier run's order has another id", |scene| {
            scene.set_stock(4);
            scene.add_earlier_now(order(4));
            scene.add_earlier_before(order(5))
        }),
        Break::new(Invariant::TermsKept, "units were added", |scene| {
            scene.ledger.rows.remove(LOST_IN_ANSWER);
            scene.history.entries.remove(LOST_IN_ANSWER);
            scene.change_sale(|sale| (sale.stock, sale.stock_left) = (4, 1));
            "stock 3 is now 4, per_buyer 1 is now 1".into()
        })
        .with(&[Invariant::SoldOutTrue, Invariant::ViewsAgree]),
        Break::new(Invariant::TermsKept, "the limit was raised", |scene| {
            scene.change_sale(|sale| sale.per_buyer = 2);
            "stock 3 is now 3, per_buyer 1 is now 2".into()
        })
        .with(&[Invariant::RowsSane, Invariant::ViewsAgree]),
    ]
}
