//! What was read beside the load: the state of the sale, and the results of attempts. Times are in
//! microseconds since the beginning of the history.

use serde::{Deserialize, Serialize};

use crate::ids::RequestId;

use super::{Hours, OrderStatus, Status};

/// Maximum number of states of the sale that are kept of a run: with two reads a second, those
/// of more than an hour.
pub const VIEWS_MAX: usize = 10_000;

/// How many of these are kept for the states after the run.
const AFTER_MAX: usize = 16;

/// The state of a sale, as it was read once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// When the request for it was sent.
    pub sent_us: u64,
    /// When the answer had been received.
    pub answered_us: u64,
    /// What it showed.
    pub sale: SaleView,
}

/// The state of a sale, as the tested system publishes it to everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleView {
    /// The item on sale.
    pub item: Box<str>,
    /// The epoch of the sale: each fresh sale of a server has a higher one.
    pub epoch: u64,
    /// Units at the opening.
    pub stock: u64,
    /// Units not sold; negative when oversold.
    pub stock_left: i64,
    /// Orders made and not given back.
    pub orders: u64,
    /// Attempts that are accepted and not decided.
    pub queued: u64,
    /// Orders that one buyer may have, if shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_buyer: Option<u32>,
    /// Its hours, as far as they are shown.
    #[serde(default)]
    pub hours: Hours,
    /// How long an order is held until it is paid for, in microseconds; `None` if orders need no
    /// payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_us: Option<u64>,
    /// Of the orders, those that are held, if that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<u64>,
    /// Of the orders, those that are paid for, if that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid: Option<u64>,
    /// Its stage, if that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Whether no unit is left and nothing is queued, if that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<bool>,
    /// Whether this is the answer to the request that opened it as a fresh sale, without hours: it
    /// shows the terms only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opened: bool,
}

/// How far a sale is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before its opening.
    NotOpen,
    /// Within its hours, with units left.
    Open,
    /// Within its hours, with none left.
    SoldOut,
    /// After its closing.
    Closed,
    /// A word that is none of these.
    Other,
}

/// Maximum number of answers that are kept which should have been states of the sale.
const NO_STATES_MAX: usize = 100;

/// The states of the sale in the order in which they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Views {
    states: Vec<View>,
    no_states: Vec<NoState>,
}

impl Views {
    /// Keeps a state. If it shows the same as the two before it, it takes the place of the last
    /// one, unless the sale holds its orders: units may have gone and come back in between. If
    /// there are too many, every other one is left out, but never the first.
    pub fn add(&mut self, view: View) {
        if let [.., before, last] = &mut self.states[..]
            && before.sale == last.sale
            && last.sale == view.sale
            && view.sale.hold_us.is_none()
        {
            *last = view;
            return;
        }
        self.states.push(view);
        if self.states.len() > VIEWS_MAX - AFTER_MAX {
            let mut number = 0;
            self.states.retain(|_| {
                number += 1;
                number % 2 == 1
            });
        }
    }

    /// Keeps a state beside those before it, even if it shows the same. The states after the load
    /// show since when everything was decided.
    pub fn keep(&mut self, view: View) {
        self.states.push(view);
    }

    /// Keeps an answer that should have been a state, unless there are many.
    pub fn add_no_state(&mut self, no_state: NoState) {
        if self.no_states.len() < NO_STATES_MAX {
            self.no_states.push(no_state);
        }
    }

    /// The first answers that should have been states and were none.
    pub fn no_states(&self) -> &[NoState] {
        &self.no_states
    }

    /// All that are kept, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &View> + ExactSizeIterator {
        self.states.iter()
    }
}

/// The result of an attempt, as it was read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRead {
    /// The attempt.
    pub request_id: RequestId,
    /// Its state; `None` if the tested system did not know the attempt.
    pub status: Option<Status>,
    /// What had become of its order, if that was shown.
    pub order: Option<OrderStatus>,
    /// Until when its order is or was held, if that was shown: by the tested system's clock, in
    /// microseconds since the Unix epoch.
    pub held_until_us: Option<u64>,
    /// When the request was sent.
    pub sent_us: u64,
    /// When the answer had been received.
    pub answered_us: u64,
}

/// How attempts stood still that were queued when the time to wait for them was up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standstill {
    /// Attempts that were queued.
    pub queued: u64,
    /// For how long neither their number nor that of the orders had changed, while the tested
    /// system said each time that all of its parts work.
    pub unchanged_us: u64,
    /// How long was waited in all.
    #[serde(default)]
    pub waited_us: u64,
    /// Whether it said so at the end, too.
    pub is_ready: bool,
}

/// An answer to a request for the state of a sale that is on offer, which shows no state although
/// it is complete: no fault in between makes that up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoState {
    /// The status of the answer.
    pub status: u16,
    /// When the request was sent.
    pub sent_us: u64,
}

/// How many questions of one kind were asked after a run, and how many got a usable answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Questions that were to be asked.
    pub wanted: u64,
    /// Questions that were answered.
    pub answered: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(sent_us: u64, queued: u64) -> View {
        let sale = SaleView {
            item: "tea".into(),
            epoch: 1,
            stock: 3,
            stock_left: 0,
            orders: 3,
            queued,
            per_buyer: None,
            ..SaleView::default()
        };
        View { sent_us, answered_us: sent_us + 1, sale }
    }

    #[test]
    fn states_are_bounded_and_those_after_the_run_are_not_replaced() {
        let mut views = Views::default();
        (0..3 * VIEWS_MAX as u64).for_each(|at| views.add(view(at, at % 2)));
        assert!(views.iter().len() <= VIEWS_MAX - AFTER_MAX);
        assert_eq!(views.iter().next().map(|view| view.sent_us), Some(0));
        let mut views = Views::default();
        (0..9).for_each(|at| views.add(view(at, 0)));
        (9..12).for_each(|at| views.keep(view(at, 0)));
        let kept: Vec<u64> = views.iter().map(|view| view.sent_us).collect();
        assert_eq!(kept, [0, 8, 9, 10, 11]);
    }

    #[test]
    fn states_of_a_sale_that_holds_its_orders_are_kept_though_they_show_the_same() {
        let mut views = Views::default();
        for at in 0..9 {
            let mut view = view(at, 0);
            view.sale.hold_us = Some(1);
            views.add(view);
        }
        assert_eq!(views.iter().len(), 9);
    }
}
