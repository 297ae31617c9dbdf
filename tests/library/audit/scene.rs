//! A small correct run, which tests change in one place.

use seckill::history::{Answered, AttemptNo, Entry, History, Ids, Ledger, Status};
use seckill::settings::Buyers;

use super::{history, ledger, order, order_id, row};

/// A run without violations: four users, two attempts each, three units.
pub(super) struct Scene {
    pub(super) history: History,
    pub(super) ledger: Ledger,
}

/// Indices of rows in the scene's ledger.
pub(super) const WON: usize = 0;
pub(super) const WON_IN_ANSWER: usize = 2;
pub(super) const LOST: usize = 3;
pub(super) const LOST_IN_ANSWER: usize = 4;
pub(super) const LOST_UNANSWERED: usize = 5;

impl Scene {
    pub(super) fn new() -> Self {
        let ids = Ids::new(7, Buyers::Thread);
        let mut history = history(ids, &[2; 4]);
        let won_in_answer = Answered::Won(Box::new(order_id(3)));
        let rows = [
            (0, 0, order(1), Answered::Accepted),
            (1, 0, order(2), Answered::Accepted),
            (2, 0, order(3), won_in_answer),
            (0, 1, Status::Lost, Answered::Accepted),
            (3, 0, Status::Lost, Answered::Lost),
            (1, 1, Status::Lost, Answered::Unknown),
        ];
        let mut ledger = ledger(3, 0, 1, Vec::new());
        for (thread, index, status, answered) in rows {
            let attempt = AttemptNo { thread, index };
            ledger.rows.push(row(&ids, attempt, status));
            history.entries.push(Entry { attempt, answered });
        }
        // Another attempt got no answer and never arrived; (3, 1) was refused.
        let attempt = AttemptNo { thread: 2, index: 1 };
        history.entries.push(Entry { attempt, answered: Answered::Unknown });
        history.sale_before = Some(ledger.sale.clone());
        Self { history, ledger }
    }

    /// Sets the stock with which the sale was opened.
    pub(super) fn set_stock(&mut self, stock: u64) {
        self.ledger.sale.stock = stock;
        self.history.sale_before = Some(self.ledger.sale.clone());
    }

    /// Adds an attempt of an earlier run to the ledger before the run, and returns its id.
    pub(super) fn add_earlier_before(&mut self, status: Status) -> String {
        let id = Ids::new(8, Buyers::Thread).request_id(AttemptNo { thread: 0, index: 0 });
        self.history.before.insert(id, status);
        id.to_string()
    }

    /// Adds that attempt to the present ledger.
    pub(super) fn add_earlier_now(&mut self, status: Status) {
        let attempt = AttemptNo { thread: 0, index: 0 };
        self.ledger.rows.push(row(&Ids::new(8, Buyers::Thread), attempt, status));
    }

    /// Records this polled result for a row's attempt, and returns its id.
    pub(super) fn add_result(&mut self, row: usize, result: Option<Status>) -> String {
        self.history.results.push((self.ledger.rows[row].request_id, result));
        self.id(row)
    }

    pub(super) fn id(&self, row: usize) -> String {
        self.ledger.rows[row].request_id.to_string()
    }

    /// Adds a row for an attempt, and returns its id.
    pub(super) fn add(&mut self, thread: u32, index: u64, status: Status) -> String {
        self.ledger.rows.push(row(&self.history.ids, AttemptNo { thread, index }, status));
        self.id(self.ledger.rows.len() - 1)
    }

    /// Changes a row's decision, and returns its id.
    pub(super) fn decide(&mut self, row: usize, status: Status) -> String {
        self.ledger.rows[row].status = status;
        self.id(row)
    }
}
