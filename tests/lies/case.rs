//! A case: a server that is honest but for one deviation, the load on it, and what the auditor has
//! to answer.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{self, Answer};
use crate::shop::{Post, Row, SALE, Setup, Shop, Status};
use crate::wire::Wire;

/// What the auditor has to answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// Every invariant held.
    Pass,
    /// Some of these invariants are broken, and no other.
    Fail(&'static [&'static str]),
    /// There is no conclusion.
    Unknown,
    /// Either of the two: the lie can be proved, but little else can.
    FailOrUnknown(&'static [&'static str]),
    /// Nothing is sent to it, since it could not be audited.
    Refused,
    /// The server is right, but too slow to be audited completely.
    NotAccused,
}

/// A question for the result of an attempt.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) id: Uuid,
    /// Its number among all questions, from 0.
    pub(crate) number: u64,
    /// Earlier questions for the same attempt.
    pub(crate) before: u64,
    /// Whether the client allows the server to wait.
    pub(crate) may_wait: bool,
    /// Whether the head has fields that clients of other kinds send.
    pub(crate) has_accept: bool,
}

/// A ledger that is about to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Page {
    /// Whether the run is over.
    pub(crate) is_after: bool,
    pub(crate) status: u16,
    pub(crate) sale: Value,
    pub(crate) rows: Vec<Row>,
    /// Added to the number of accepted attempts in the last line.
    pub(crate) miscounted: u64,
    pub(crate) line_end: &'static str,
    pub(crate) ends_last_line: bool,
    /// Whether the connection ends in the middle of it.
    pub(crate) is_cut: bool,
    /// Bytes of a further field of each line.
    pub(crate) padding: usize,
}

/// One case. Each function of the server gets what the honest server would do, and may do something
/// else.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) expected: Expected,
    /// Further flags of the load. Those of the second run, if there is one, follow `then`.
    pub(crate) load: &'static [&'static str],
    pub(crate) sale: Setup,
    pub(crate) wire: Wire,
    /// Whether queue and store answer.
    pub(crate) is_ready: bool,
    /// Milliseconds until a request is looked at.
    pub(crate) late_ms: fn(u64) -> u64,
    /// Answers an attempt instead of the honest server.
    pub(crate) instead: fn(&mut Shop, &Post) -> Option<Answer>,
    /// Changes the answer to an attempt.
    pub(crate) answer: fn(&mut Shop, &Post, Answer) -> Answer,
    /// Decides an attempt; `None` leaves it queued.
    pub(crate) decide: fn(&mut Shop, usize) -> Option<Status>,
    /// Changes the answer about the result of an attempt.
    pub(crate) result: fn(&mut Shop, &Question, Answer) -> Answer,
    /// Answers a payment for the order of a row instead of the honest server.
    pub(crate) pay: fn(&mut Shop, usize) -> Option<Answer>,
    /// Ends an order whose time is up.
    pub(crate) expire: fn(&mut Shop, usize),
    /// Changes the state of the sale.
    pub(crate) state: fn(&mut Shop, &mut Value),
    /// Changes the answer that says which fresh sale was opened.
    pub(crate) opened: fn(&mut Shop, &mut Value),
    /// Changes the ledger.
    pub(crate) ledger: fn(&mut Shop, &mut Page),
    /// Changes the text of each JSON object that is sent.
    pub(crate) text: fn(String) -> String,
}

/// The honest server, under a load of 100 attempts.
pub(crate) const CASE: Case = Case {
    name: "honest",
    expected: Expected::Pass,
    load: &[],
    sale: SALE,
    wire: Wire::Plain,
    is_ready: true,
    late_ms: |_| 0,
    instead: |_, _| None,
    answer: |_, _, answer| answer,
    decide: |shop, at| Some(shop.judge(at)),
    result: |_, _, answer| answer,
    pay: |_, _| None,
    expire: |shop, at| shop.end(at, "expired"),
    state: |_, _| {},
    opened: |_, _| {},
    ledger: |_, _| {},
    text: |text| text,
};

impl Case {
    /// The answer to a request of an attempt.
    pub(crate) fn post(&self, shop: &mut Shop, post: &Post) -> Answer {
        let left = shop.stock_left;
        let instead = (self.instead)(shop, post);
        shop.has_lied |= instead.is_some() || shop.stock_left != left;
        let honest = instead.unwrap_or_else(|| self.honest(shop, post));
        let rows = shop.rows.len();
        let answer = (self.answer)(shop, post, honest.clone());
        shop.has_lied |= answer != honest || shop.rows.len() != rows;
        answer
    }

    /// The decision on an attempt that is due.
    pub(crate) fn decision(&self, shop: &mut Shop, at: usize) -> Option<Status> {
        let honest = Some(shop.judge(at));
        let decision = (self.decide)(shop, at);
        shop.has_lied |= decision != honest;
        decision
    }

    /// The answer about the result of an attempt.
    pub(crate) fn result_of(&self, shop: &mut Shop, question: &Question) -> Answer {
        let honest = match shop.row(question.id) {
            Some(row) => answer::of_result(row),
            None => answer::unknown_request(),
        };
        let answer = (self.result)(shop, question, honest.clone());
        shop.has_lied |= answer != honest;
        answer
    }

    /// The answer to a payment for the order of a row.
    pub(crate) fn payment(&self, shop: &mut Shop, at: usize) -> Answer {
        let instead = (self.pay)(shop, at);
        shop.has_lied |= instead.is_some();
        instead.unwrap_or_else(|| shop.pay(at))
    }

    /// Ends an order whose time is up.
    pub(crate) fn expiry(&self, shop: &mut Shop, at: usize) {
        let left = shop.stock_left;
        (self.expire)(shop, at);
        let is_honest = shop.stock_left == left + 1 && !shop.rows[at].takes_unit();
        shop.has_lied |= !is_honest;
    }

    fn honest(&self, shop: &mut Shop, post: &Post) -> Answer {
        if let Some(row) = shop.row(post.id) {
            let is_same =
                row.uid == post.uid && post.item.as_ref().is_none_or(|item| *item == row.item);
            let reused = answer::refused(422, "request_id_reused");
            return if is_same { answer::of_attempt(row) } else { reused };
        }
        if post.item.as_ref().is_some_and(|item| item != shop.item) {
            return answer::refused(404, "unknown_item");
        }
        match shop.refusal(&post.uid) {
            Some((status, reason)) => answer::refused(status, reason),
            None => self.accept(shop, post),
        }
    }

    /// Accepts an attempt, whatever the state of the sale is.
    pub(crate) fn accept(&self, shop: &mut Shop, post: &Post) -> Answer {
        let at = shop.accept(post.id, &post.uid);
        if shop.setup.at_once
            && let Some(status) = self.decision(shop, at)
        {
            shop.settle(at, status);
        }
        answer::of_attempt(&shop.rows[at])
    }

    /// The state of the sale.
    pub(crate) fn sale_state(&self, shop: &mut Shop) -> Value {
        shop.begin();
        let (left, queued, refusal) = (shop.stock_left, shop.queued(), shop.refusal(""));
        let status = refusal.map_or("open", |(_, reason)| reason);
        let mut state = json!({
            "status": status, "item": shop.item, "epoch": shop.epoch, "stock": shop.setup.stock,
            "stock_left": left, "orders": shop.orders(), "queued": queued,
            "finished": left <= 0 && queued == 0,
        });
        add_terms(shop, &mut state);
        if shop.setup.hold_ms.is_some() {
            let of = |word: &str| {
                let is_of = |row: &&Row| row.order.is_some_and(|order| order.word == word);
                shop.rows.iter().filter(is_of).count()
            };
            (state["held"], state["paid"]) = (of("held").into(), of("paid").into());
        }
        let honest = state.clone();
        (self.state)(shop, &mut state);
        shop.has_lied |= state != honest;
        shop.states += 1;
        state
    }

    /// Opens a fresh sale, and tells which.
    pub(crate) fn open(&self, shop: &mut Shop, stock: u64) -> Value {
        shop.reopen(stock);
        let mut opened = json!({
            "status": "opened", "item": shop.item, "epoch": shop.epoch, "stock": stock,
            "per_buyer": shop.setup.per_buyer,
        });
        let honest = opened.clone();
        (self.opened)(shop, &mut opened);
        shop.has_lied |= opened != honest;
        opened
    }

    /// The ledger.
    pub(crate) fn page(&self, shop: &mut Shop) -> Page {
        let mut sale = json!({
            "item": shop.item, "epoch": shop.epoch, "stock": shop.setup.stock,
            "stock_left": shop.stock_left, "per_buyer": shop.setup.per_buyer,
        });
        add_terms(shop, &mut sale);
        let mut page = Page {
            is_after: shop.posts > 0,
            status: 200,
            sale,
            rows: shop.rows.clone(),
            miscounted: 0,
            line_end: "\n",
            ends_last_line: true,
            is_cut: false,
            padding: 0,
        };
        let honest = page.clone();
        (self.ledger)(shop, &mut page);
        shop.has_lied |= page != honest;
        shop.ledgers += 1;
        page
    }
}

fn add_terms(shop: &Shop, to: &mut Value) {
    to["per_buyer"] = shop.setup.per_buyer.into();
    if let Some(ms) = shop.setup.hold_ms {
        to["hold_us"] = (ms * 1000).into();
    }
    let hours = [("opens_us", shop.opens_us()), ("closes_us", shop.closes_us())];
    for (name, us) in hours {
        if let Some(us) = us {
            to[name] = us.into();
        }
    }
}

impl Page {
    /// The body.
    pub(crate) fn body(&self, text: fn(String) -> String) -> String {
        let mut lines = vec![json!({"sale": self.sale})];
        lines.extend(self.rows.iter().map(answer::line));
        let of = |is: fn(&Row) -> bool| self.rows.iter().filter(|row| is(row)).count() as u64;
        let (won, queued) = (of(Row::has_won), of(|row| row.status == Status::Queued));
        let accepted = self.rows.len() as u64;
        lines.push(json!({"counts": {
            "accepted": accepted + self.miscounted, "won": won, "queued": queued,
            "lost": accepted - won - queued,
        }}));
        if self.padding > 0 {
            lines.iter_mut().for_each(|line| line["padding"] = "x".repeat(self.padding).into());
        }
        let lines: Vec<String> = lines.into_iter().map(|line| text(line.to_string())).collect();
        let end = if self.ends_last_line { self.line_end } else { "" };
        lines.join(self.line_end) + end
    }
}
