//! A small right run, which each test of a rule changes in one way.

use crate::history::{
    Answered, AttemptNo, Entry, FinalRefusal, History, Hours, Ids, Ledger, Loss, Refused,
    RequestWindow, ResultRead, Row, SaleTerms, SaleView, Status, Tells, View,
};
use crate::ids::{OrderId, RequestId};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Violation, Witnesses};
use crate::settings::Buyers;

const ITEM: &str = "tea";

/// When the history begins, by the generator's clock.
pub(in crate::judge) const BEGAN_US: u64 = 1_795_000_000_000_000;

/// The tested system's clock is ahead by as much, which is legal.
pub(in crate::judge) const AHEAD_US: u64 = 90_000_000;

/// The virtual user of the attempts that are refused.
const REFUSED: u32 = 6;

/// A run of six buyers at a sale of three units. The first three win: at once, or a little later.
/// The last one gets no answer, and loses. All times of the tests are in milliseconds since the
/// beginning of the history.
pub(in crate::judge) struct Scene {
    pub(in crate::judge) history: History,
    pub(in crate::judge) ledger: Ledger,
    pub(in crate::judge) settled: bool,
}

impl Scene {
    pub(in crate::judge) fn new() -> Self {
        Self::with_buyers(Buyers::New)
    }

    pub(in crate::judge) fn with_buyers(buyers: Buyers) -> Self {
        let ids = Ids::new(7, buyers).unmarked();
        let mut history = History::new(ids, ITEM.parse().unwrap(), 7, BEGAN_US);
        history.sent = vec![1, 1, 1, 1, 1, 1, 0];
        history.sale_before = Some(terms(3));
        let (sale, tells) = (terms(0), Tells::EVERYTHING);
        let ledger = Ledger { sale, rows: Vec::new(), is_miscounted: false, tells };
        let mut scene = Self { history, ledger, settled: true };
        let lost = || Status::Lost(Loss::SoldOut);
        scene.make(0, (10, 20), Answered::Accepted, order(1));
        scene.make(1, (20, 30), Answered::Won(Box::new(order_id(2))), order(2));
        scene.make(2, (40, 50), Answered::Accepted, order(3));
        scene.make(3, (45, 55), Answered::Accepted, lost());
        scene.make(4, (60, 70), Answered::Lost(Loss::SoldOut), lost());
        scene.make(5, (80, 90), Answered::Unknown, lost());
        scene.view((1, 2), 3, 0);
        scene.view((32, 38), 1, 1);
        scene.view((75, 78), 0, 0);
        scene.view((200, 210), 0, 0);
        scene
    }

    fn make(&mut self, thread: u32, (sent, answered): (u64, u64), told: Answered, status: Status) {
        let attempt = AttemptNo { thread, index: 0 };
        let (sent_us, answered_us) = (sent * 1_000, answered * 1_000);
        let entry = Entry { attempt, answered: told, sent_us, answered_us, refusal: None };
        self.history.entries.push(entry);
        self.ledger.rows.push(Row {
            request_id: self.history.ids.request_id(attempt),
            uid: self.history.ids.buyer_id(attempt).as_str().into(),
            item: ITEM.into(),
            seq: u64::from(thread) * 10,
            accepted_us: server_us(sent + 3),
            decided_us: Some(server_us(sent + 5)),
            status,
            order: None,
        });
    }

    /// Adds a state of the sale.
    pub(in crate::judge) fn view(&mut self, (sent, answered): (u64, u64), left: i64, queued: u64) {
        let sale = SaleView {
            item: ITEM.into(),
            epoch: 1,
            stock: 3,
            stock_left: left,
            orders: (3 - left) as u64,
            queued,
            per_buyer: Some(1),
            ..SaleView::default()
        };
        let (sent_us, answered_us) = (sent * 1_000, answered * 1_000);
        self.history.views.add(View { sent_us, answered_us, sale });
    }

    /// Changes all states of the sale.
    pub(in crate::judge) fn change_views(&mut self, change: impl Fn(usize, &mut SaleView)) {
        let views = std::mem::take(&mut self.history.views);
        for (at, mut view) in views.iter().cloned().enumerate() {
            change(at, &mut view.sale);
            self.history.views.add(view);
        }
    }

    /// A run in which one state of the sale is another one.
    pub(in crate::judge) fn with_view(at: usize, change: impl Fn(&mut SaleView)) -> Self {
        let mut scene = Self::new();
        scene.change_views(|number, sale| {
            if number == at {
                change(sale);
            }
        });
        scene
    }

    /// Changes the stock wherever it is shown, and leaves the orders as they are.
    pub(in crate::judge) fn set_stock(&mut self, stock: u64) {
        let more = stock as i64 - self.ledger.sale.stock as i64;
        let sales = [Some(&mut self.ledger.sale), self.history.sale_before.as_mut()];
        for sale in sales.into_iter().flatten() {
            sale.stock = stock;
            sale.stock_left += more;
        }
        self.change_views(|_, sale| {
            sale.stock = stock;
            sale.stock_left += more;
        });
    }

    /// Shows the hours of the sale in its states, in milliseconds of the history.
    pub(in crate::judge) fn set_hours(&mut self, opens: Option<u64>, closes: Option<u64>) {
        let hours = Hours { opens_us: opens.map(server_us), closes_us: closes.map(server_us) };
        self.change_views(|_, sale| sale.hours = hours);
    }

    pub(in crate::judge) fn entry(&mut self, number: usize) -> &mut Entry {
        &mut self.history.entries[number]
    }

    pub(in crate::judge) fn row(&mut self, number: usize) -> &mut Row {
        &mut self.ledger.rows[number]
    }

    pub(in crate::judge) fn id(&self, number: usize) -> RequestId {
        self.ledger.rows[number].request_id
    }

    /// Adds an attempt that is refused.
    pub(in crate::judge) fn refuse(
        &mut self,
        refused: Refused,
        sent: u64,
        answered: u64,
    ) -> AttemptNo {
        let index = self.history.sent[REFUSED as usize];
        self.history.sent[REFUSED as usize] += 1;
        let attempt = AttemptNo { thread: REFUSED, index };
        self.refuse_again(refused, attempt, (sent, answered));
        attempt
    }

    /// Adds a refused request of an attempt.
    pub(in crate::judge) fn refuse_again(
        &mut self,
        refused: Refused,
        attempt: AttemptNo,
        (sent, answered): (u64, u64),
    ) {
        let (sent_us, answered_us) = (sent * 1_000, answered * 1_000);
        self.history.refusals.add(refused, RequestWindow { attempt, sent_us, answered_us });
    }

    /// Adds a final refusal of an attempt that had an effect.
    pub(in crate::judge) fn refuse_made(
        &mut self,
        number: usize,
        was_accepted: bool,
        window: (u64, u64),
    ) {
        let (sent_us, answered_us) = (window.0 * 1_000, window.1 * 1_000);
        let entry = self.entry(number);
        let request = RequestWindow { attempt: entry.attempt, sent_us, answered_us };
        let refused = Refused::SoldOut;
        entry.refusal = Some(Box::new(FinalRefusal { refused, request, was_accepted }));
        self.history.refusals.add(refused, request);
    }

    /// Adds a result that was read.
    pub(in crate::judge) fn read(
        &mut self,
        number: usize,
        status: Option<Status>,
        window: (u64, u64),
    ) {
        let request_id = self.id(number);
        let (sent_us, answered_us) = (window.0 * 1_000, window.1 * 1_000);
        self.history.results.push(ResultRead {
            request_id,
            status,
            order: None,
            held_until_us: None,
            sent_us,
            answered_us,
        });
    }

    /// Turns the run into an earlier one: what it did is known before a run that has done nothing.
    pub(in crate::judge) fn make_earlier(&mut self) {
        self.history.begin_with(self.ledger.clone());
        self.history.ids = Ids::new(8, Buyers::New);
        self.history.entries.clear();
        self.change_views(|_, sale| {
            (sale.stock_left, sale.orders, sale.queued) = (0, 3, 0);
        });
    }

    pub(in crate::judge) fn violations(&self) -> Vec<Violation> {
        let facts = Facts::gather(&self.history, &self.ledger, self.settled);
        let checks = super::super::ALL.iter().map(|rule| rule(&facts));
        let mut violations: Vec<_> = checks.filter_map(Witnesses::finish).collect();
        violations.sort_by_key(|violation| violation.invariant);
        violations
    }

    /// The invariants that are broken.
    pub(in crate::judge) fn broken(&self) -> Vec<Invariant> {
        self.violations().iter().map(|violation| violation.invariant).collect()
    }
}

fn terms(stock_left: i64) -> SaleTerms {
    let hours = Hours::default();
    let (item, hold_us) = (ITEM.into(), None);
    SaleTerms { item, epoch: 1, stock: 3, stock_left, per_buyer: 1, hours, hold_us }
}

/// What the tested system's clock shows at a moment of the history, in milliseconds.
pub(in crate::judge) fn server_us(ms: u64) -> u64 {
    BEGAN_US + AHEAD_US + ms * 1_000
}

pub(in crate::judge) fn order(number: u64) -> Status {
    Status::Won(order_id(number))
}

pub(in crate::judge) fn order_id(number: u64) -> OrderId {
    OrderId::new(&ITEM.parse().unwrap(), 1, number)
}

#[test]
fn right_run_breaks_nothing_however_little_is_known() {
    let mut scene = Scene::new();
    assert_eq!(scene.violations(), []);
    scene.settled = false;
    assert_eq!(scene.violations(), []);
    scene.settled = true;
    scene.history.views = Default::default();
    assert_eq!(scene.violations(), []);
    scene.history.sale_before = None;
    assert_eq!(scene.violations(), []);
    scene.history.began_us = 0;
    for entry in &mut scene.history.entries {
        (entry.sent_us, entry.answered_us) = (0, 0);
    }
    assert_eq!(scene.violations(), []);
    scene.ledger.rows.iter_mut().for_each(|row| row.accepted_us = 0);
    assert_eq!(scene.violations(), []);
}

#[test]
fn repeated_run_with_the_same_ids_breaks_nothing() {
    let mut scene = Scene::new();
    let entries = scene.history.entries.clone();
    scene.make_earlier();
    scene.history.ids = Ids::new(7, Buyers::New).unmarked();
    assert_eq!(scene.violations(), []);
    // The attempts are sent again, long after they were accepted.
    scene.history.entries = entries;
    scene.history.began_us += 3_600_000_000;
    assert_eq!(scene.violations(), []);
}
