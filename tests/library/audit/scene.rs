//! A small correct run, which tests change in one place.

use seckill::history::{
    Answered, AttemptNo, Entry, History, Ids, Ledger, Loss, Refused, RequestWindow, ResultRead,
    Row, SaleTerms, SaleView, Status, View, Views,
};
use seckill::settings::Buyers;

use super::times::{self, Window};
use super::{entry, history, ledger, order, order_id, row, set_status};

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

/// The turns of the attempt that never arrived and of the one that was refused, and a later one.
const VANISHED_TURN: u64 = 7;
const REFUSED_TURN: u64 = 8;
const LATE_TURN: u64 = 9;

/// The turn in which the evidence is read after the load.
const AFTER_TURN: u64 = 20;

impl Scene {
    pub(super) fn new() -> Self {
        let ids = Ids::new(7, Buyers::Thread).unmarked();
        let mut history = history(ids, &[2; 4]);
        let won_in_answer = Answered::Won(Box::new(order_id(3)));
        let lost_in_answer = Answered::Lost(Loss::SoldOut);
        let rows = [
            (0, 0, order(1), Answered::Accepted),
            (1, 0, order(2), Answered::Accepted),
            (2, 0, order(3), won_in_answer),
            (0, 1, Status::Lost(Loss::AlreadyBought), Answered::Accepted),
            (3, 0, Status::Lost(Loss::SoldOut), lost_in_answer),
            (1, 1, Status::Lost(Loss::SoldOut), Answered::Unknown),
        ];
        let mut ledger = ledger(3, 0, 1, Vec::new());
        for (turn, (thread, index, status, answered)) in (1..).zip(rows) {
            let attempt = AttemptNo { thread, index };
            ledger.rows.push(row(&ids, attempt, status, turn));
            history.entries.push(entry(attempt, answered, turn));
        }
        // Another attempt got no answer and never arrived; (3, 1) was refused.
        let attempt = AttemptNo { thread: 2, index: 1 };
        history.entries.push(entry(attempt, Answered::Unknown, VANISHED_TURN));
        let refused = AttemptNo { thread: 3, index: 1 };
        history.refusals.add(Refused::SoldOut, request(refused, REFUSED_TURN));
        let mut scene = Self { history, ledger };
        scene.read();
        scene
    }

    /// Makes what was read beside the load agree with the present ledger: the terms before the run,
    /// and the state of the sale before and after it.
    fn read(&mut self) {
        let sale = &self.ledger.sale;
        let before = self.history.before.values().filter(|row| is_order(row)).count();
        let stock_left = sale.stock as i64 - before as i64;
        self.history.sale_before = Some(SaleTerms { stock_left, ..sale.clone() });
        self.read_views();
    }

    fn read_views(&mut self) {
        let rows = &self.ledger.rows;
        let earlier: Vec<_> = self.history.before.values().collect();
        let mut views = Views::default();
        if let Some(sale) = &self.history.sale_before {
            views.add(view(sale, &earlier, 0));
        }
        views.add(view(&self.ledger.sale, &rows.iter().collect::<Vec<_>>(), AFTER_TURN));
        self.history.views = views;
    }

    /// Sets the stock with which the sale was opened.
    pub(super) fn set_stock(&mut self, stock: u64) {
        self.ledger.sale.stock = stock;
        self.read();
    }

    /// Changes the sale during the run.
    pub(super) fn change_sale(&mut self, change: impl FnOnce(&mut SaleTerms)) {
        change(&mut self.ledger.sale);
        self.read_views();
    }

    /// Adds an attempt of an earlier run to the ledger before the run, and returns its id.
    pub(super) fn add_earlier_before(&mut self, status: Status) -> String {
        let row = earlier(status);
        let id = row.request_id;
        self.history.before.insert(id, row);
        self.read();
        id.to_string()
    }

    /// Adds that attempt to the present ledger.
    pub(super) fn add_earlier_now(&mut self, status: Status) {
        let mut row = earlier(status);
        let before = self.history.before.get(&row.request_id).map(|before| &before.status);
        if before == Some(&Status::Queued) && row.status != Status::Queued {
            row.decided_us = Some(times::accepted_us(LATE_TURN));
        }
        self.ledger.rows.insert(0, row);
        self.read();
    }

    /// Adds an attempt that another run made during this one, and returns its id.
    pub(super) fn add_foreign(&mut self, status: Status) -> String {
        let attempt = AttemptNo { thread: 0, index: 0 };
        self.push(row(&Ids::new(9, Buyers::Thread).unmarked(), attempt, status, LATE_TURN))
    }

    /// Records that this result of a row's attempt was read after the run, and returns its id.
    pub(super) fn add_result(&mut self, row: usize, status: Option<Status>) -> String {
        let request_id = self.ledger.rows[row].request_id;
        let Window { sent_us, answered_us } = times::window(AFTER_TURN + 1);
        self.history.results.push(ResultRead {
            request_id,
            status,
            order: None,
            held_until_us: None,
            sent_us,
            answered_us,
        });
        self.id(row)
    }

    pub(super) fn id(&self, row: usize) -> String {
        self.ledger.rows[row].request_id.to_string()
    }

    /// Adds a row for an attempt that has none, and returns its id.
    pub(super) fn add(&mut self, thread: u32, index: u64, status: Status) -> String {
        let attempt = AttemptNo { thread, index };
        let turn = if (thread, index) == (3, 1) { REFUSED_TURN } else { LATE_TURN };
        self.push(row(&self.history.ids, attempt, status, turn))
    }

    fn push(&mut self, row: Row) -> String {
        let id = row.request_id.to_string();
        self.ledger.rows.push(row);
        self.read_views();
        id
    }

    /// Changes a row's decision, and returns its id.
    pub(super) fn decide(&mut self, row: usize, status: Status) -> String {
        set_status(&mut self.ledger.rows[row], status);
        self.read_views();
        self.id(row)
    }

    /// The entry of a row's attempt.
    pub(super) fn entry(&mut self, row: usize) -> &mut Entry {
        &mut self.history.entries[row]
    }
}

pub(super) fn request(attempt: AttemptNo, turn: u64) -> RequestWindow {
    let Window { sent_us, answered_us } = times::window(turn);
    RequestWindow { attempt, sent_us, answered_us }
}

/// The first attempt of an earlier run, which no consumer could decide while units were left.
fn earlier(status: Status) -> Row {
    let attempt = AttemptNo { thread: 0, index: 0 };
    let mut row = row(&Ids::new(8, Buyers::Thread).unmarked(), attempt, status, 0);
    times::make_earlier(&mut row);
    row
}

fn is_order(row: &Row) -> bool {
    matches!(row.status, Status::Won(_))
}

/// The state of a sale with these attempts, read in this turn.
fn view(sale: &SaleTerms, rows: &[&Row], turn: u64) -> View {
    let Window { sent_us, answered_us } = times::window(turn);
    let count = |wanted: fn(&Row) -> bool| rows.iter().filter(|row| wanted(row)).count() as u64;
    let sale = SaleView {
        item: sale.item.as_str().into(),
        epoch: sale.epoch,
        stock: sale.stock,
        stock_left: sale.stock_left,
        orders: count(is_order),
        queued: count(|row| row.status == Status::Queued),
        per_buyer: Some(sale.per_buyer),
        hours: sale.hours,
        ..SaleView::default()
    };
    View { sent_us, answered_us, sale }
}
