//! The honest shop: one item, its buyers, and the decisions on their attempts.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::hold::Held;

/// How a sale begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) stock: u64,
    pub(crate) per_buyer: u64,
    /// Milliseconds from the acceptance of an attempt to its decision.
    pub(crate) delay_ms: u64,
    /// Whether an attempt is decided before it is answered, so that it is answered with 200.
    pub(crate) at_once: bool,
    /// Opening and closing, in milliseconds from the first read of the state of the sale.
    pub(crate) opens_ms: Option<i64>,
    pub(crate) closes_ms: Option<i64>,
    /// Orders that were made before the server started.
    pub(crate) earlier: u64,
    /// How far the clock of the server is ahead.
    pub(crate) clock_ms: i64,
    /// How much `seq` rises with each accepted attempt.
    pub(crate) seq_step: u64,
    /// Milliseconds for which an order is held.
    pub(crate) hold_ms: Option<u64>,
}

/// A sale of 10 units that is open all the time.
pub(crate) const SALE: Setup = Setup {
    stock: 10,
    per_buyer: 1,
    delay_ms: 2,
    at_once: false,
    opens_ms: None,
    closes_ms: None,
    earlier: 0,
    clock_ms: 0,
    seq_step: 1,
    hold_ms: None,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    Queued,
    Won(String),
    Lost(&'static str),
}

/// An accepted attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) uid: String,
    pub(crate) item: String,
    pub(crate) seq: u64,
    pub(crate) accepted_us: u64,
    pub(crate) decided_us: Option<u64>,
    pub(crate) status: Status,
    /// When it is to be decided.
    pub(crate) due: Instant,
    /// What has become of the order, at a sale with a hold.
    pub(crate) order: Option<Held>,
}

impl Row {
    /// Whether it has an order that was not given back.
    pub(crate) fn takes_unit(&self) -> bool {
        let is_back = |order: &Held| matches!(order.word, "cancelled" | "expired");
        self.has_won() && !self.order.as_ref().is_some_and(is_back)
    }

    pub(crate) fn has_won(&self) -> bool {
        matches!(self.status, Status::Won(_))
    }
}

/// A request of an attempt.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// Its number among all such requests, from 0.
    pub(crate) number: u64,
    pub(crate) id: Uuid,
    pub(crate) uid: String,
    pub(crate) item: Option<String>,
    /// Earlier requests with the same id.
    pub(crate) before: u64,
}

/// The state of the shop. Lies read and change it as they like.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) setup: Setup,
    pub(crate) item: &'static str,
    pub(crate) epoch: u64,
    pub(crate) stock_left: i64,
    /// Orders that were ever made.
    pub(crate) made: u64,
    pub(crate) rows: Vec<Row>,
    /// Requests of attempts so far, and how many of each id.
    pub(crate) posts: u64,
    pub(crate) posted: HashMap<Uuid, u64>,
    /// Reads of results so far, and how many of each id.
    pub(crate) questions: u64,
    pub(crate) asked: HashMap<Uuid, u64>,
    /// Reads of the state of the sale so far.
    pub(crate) states: u64,
    /// Reads of the ledger so far.
    pub(crate) ledgers: u64,
    /// Whether anything was done in another way than the honest shop does it.
    pub(crate) has_lied: bool,
    started: SystemTime,
}

impl Shop {
    pub(crate) fn open(setup: Setup) -> Self {
        let mut shop = Self {
            setup,
            item: "tea",
            epoch: 1,
            stock_left: setup.stock as i64,
            made: 0,
            rows: Vec::new(),
            posts: 0,
            posted: HashMap::new(),
            questions: 0,
            asked: HashMap::new(),
            states: 0,
            ledgers: 0,
            has_lied: false,
            started: SystemTime::now(),
        };
        for number in 0..setup.earlier {
            let at = shop.invent(Uuid::from_u128(0x4000_8000_0000_0000_0000 + u128::from(number)));
            let status = shop.judge(at);
            shop.settle(at, status);
        }
        shop
    }

    /// Opens a fresh sale in place of the present one.
    pub(crate) fn reopen(&mut self, stock: u64) {
        let (opens_ms, closes_ms) = (None, None);
        let setup = Setup { stock, earlier: 0, opens_ms, closes_ms, ..self.setup };
        let (epoch, has_lied) = (self.epoch + 1, self.has_lied);
        *self = Self { epoch, has_lied, ..Self::open(setup) };
    }

    /// Begins the hours of the sale, at the first read of its state: the load may start long after
    /// the server.
    pub(crate) fn begin(&mut self) {
        if self.states == 0 {
            self.started = SystemTime::now();
        }
    }

    /// The present moment by the shop's clock.
    pub(crate) fn now_us(&self) -> u64 {
        self.clock_us(SystemTime::now(), 0)
    }

    pub(crate) fn opens_us(&self) -> Option<u64> {
        self.setup.opens_ms.map(|ms| self.clock_us(self.started, ms))
    }

    pub(crate) fn closes_us(&self) -> Option<u64> {
        self.setup.closes_ms.map(|ms| self.clock_us(self.started, ms))
    }

    fn clock_us(&self, moment: SystemTime, ms: i64) -> u64 {
        let us = moment.duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
        us.saturating_add_signed((self.setup.clock_ms + ms) * 1000)
    }

    pub(crate) fn find(&self, id: Uuid) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id)
    }

    pub(crate) fn row(&self, id: Uuid) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    pub(crate) fn orders(&self) -> u64 {
        self.rows.iter().filter(|row| row.takes_unit()).count() as u64
    }

    pub(crate) fn orders_of(&self, uid: &str) -> u64 {
        self.rows.iter().filter(|row| row.takes_unit() && row.uid == uid).count() as u64
    }

    pub(crate) fn queued(&self) -> u64 {
        self.rows.iter().filter(|row| row.status == Status::Queued).count() as u64
    }

    /// Whether the attempt of this request is accepted already.
    pub(crate) fn knows(&self, post: &Post) -> bool {
        self.row(post.id).is_some()
    }

    /// Why a fresh attempt of this buyer is refused, as status and reason.
    pub(crate) fn refusal(&self, uid: &str) -> Option<(u16, &'static str)> {
        let now = self.now_us();
        if self.opens_us().is_some_and(|opens| now < opens) {
            Some((403, "not_open"))
        } else if self.closes_us().is_some_and(|closes| now >= closes) {
            Some((403, "closed"))
        } else if self.stock_left <= 0 {
            Some((410, "sold_out"))
        } else if self.orders_of(uid) >= self.setup.per_buyer {
            Some((409, "already_bought"))
        } else {
            None
        }
    }

    /// Accepts an attempt, and returns the number of its row.
    pub(crate) fn accept(&mut self, id: Uuid, uid: &str) -> usize {
        let seq = self.rows.last().map_or(0, |row| row.seq + self.setup.seq_step);
        self.rows.push(Row {
            id,
            uid: uid.to_owned(),
            item: self.item.to_owned(),
            seq,
            accepted_us: self.now_us(),
            decided_us: None,
            status: Status::Queued,
            due: Instant::now() + Duration::from_millis(self.setup.delay_ms),
            order: None,
        });
        self.rows.len() - 1
    }

    /// Accepts an attempt that nobody made.
    pub(crate) fn invent(&mut self, id: Uuid) -> usize {
        self.accept(id, &format!("buyer-of-{id}"))
    }

    /// The honest decision.
    pub(crate) fn judge(&self, at: usize) -> Status {
        let uid = &self.rows[at].uid;
        if self.orders_of(uid) >= self.setup.per_buyer {
            Status::Lost("already_bought")
        } else if self.stock_left <= 0 {
            Status::Lost("sold_out")
        } else {
            self.win()
        }
    }

    /// The next order.
    pub(crate) fn win(&self) -> Status {
        Status::Won(format!("{}-{}-{}", self.item, self.epoch, self.made + 1))
    }

    /// Makes a decision final.
    pub(crate) fn settle(&mut self, at: usize, status: Status) {
        let is_order = matches!(status, Status::Won(_));
        if is_order {
            self.stock_left -= 1;
            self.made += 1;
        }
        let (now, hold_ms) = (self.now_us(), self.setup.hold_ms.filter(|_| is_order));
        let row = &mut self.rows[at];
        let decided_us = now.max(row.accepted_us);
        row.decided_us = Some(decided_us);
        row.order = hold_ms.map(|ms| Held::until(decided_us + ms * 1000));
        row.status = status;
    }
}
