//! The waiting room: buyers take a ticket, and are admitted to the sale at the rate that it can
//! take.
//!
//! A ticket is signed and says all that is needed to judge it, so the room keeps one line for each
//! sale, and nothing for each buyer but what the last ticket says, in a table of bounded size, so
//! that a buyer who takes a ticket again gets the same one. When its turn has come, a ticket is
//! exchanged for an admitted one, which every process that has the secret recognizes without asking
//! anybody. Each ticket also says how far the line had come when it was written, so that a
//! restarted process learns that from the first ticket that it is shown.

mod keys;
mod line;
mod ticket;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::api::TicketStatus;
use crate::ids::BuyerId;
use crate::profile::WaitingRoomPlan;
use crate::secret::Secret;
use crate::settings::RoomOrder;
use crate::store::SaleView;

use super::bounded_table::BoundedTable;
use keys::Keys;
use line::{Line, MEASURED_MIN, Number, Pace};
use ticket::{Kind, Ticket};

/// Sales that have a line; those of the earliest epochs lose theirs.
const LINES_MAX: usize = 1_024;

/// The share of the measured rate of decisions that is admitted, in percent: some of those who are
/// admitted do not come, and only more than was decided shows that more can be.
const MEASURED_PERCENT: u64 = 125;

/// The waiting room of a server.
#[derive(Debug)]
pub struct WaitingRoom {
    keys: Keys,
    order: RoomOrder,
    rate: Option<u64>,
    ticket_ttl: Duration,
    /// By the epoch of the sale.
    lines: Mutex<BTreeMap<u64, Line>>,
    /// The last ticket of each buyer, by epoch and buyer.
    held: BoundedTable<Held>,
}

/// What is kept of the last ticket of a buyer.
#[derive(Debug, Clone, Copy)]
struct Held {
    kind: Kind,
    number: u64,
    expires_s: u64,
}

/// What the server can take at a moment, as far as it is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Attempts per second that are decided; `None` if that is not known.
    pub(super) decided_per_second: Option<f64>,
    /// Whether more attempts come than can be accepted, or wait for long.
    pub(super) is_overload: bool,
}

impl WaitingRoom {
    /// A room whose tickets are signed with this secret.
    pub fn new(plan: &WaitingRoomPlan, secret: &Secret) -> Self {
        Self {
            keys: Keys::new(secret),
            order: plan.order,
            rate: plan.rate.map(|rate| rate.per_second),
            ticket_ttl: plan.ticket_ttl,
            lines: Mutex::default(),
            held: BoundedTable::default(),
        }
    }

    /// The ticket of a buyer for a sale: the one that it has, or else a new one. A buyer whose
    /// ticket has expired is at the end of the line again.
    pub(super) fn take(
        &self,
        sale: &SaleView,
        buyer: &BuyerId,
        load: Load,
        now_us: u64,
    ) -> TicketStatus {
        let pace = self.pace(load);
        let mut lines = self.lines();
        let line = line_of(&mut lines, sale, now_us);
        let key = self.held.key(&(sale.epoch, buyer));
        let known = self.held.shard(key).get(key);
        let held = known.filter(|held| is_valid(held.expires_s, now_us)).unwrap_or_else(|| {
            let Number { number, is_early } = line.take(pace, now_us);
            let kind = if is_early { Kind::Early } else { Kind::Late };
            Held { kind, number, expires_s: 0 }
        });
        let ticket = Ticket {
            kind: held.kind,
            item: sale.terms.item.clone(),
            sale: self.keys.sale(sale),
            number: held.number,
            early: 0,
            taken: 0,
            mark: 0,
            expires_s: held.expires_s,
            buyer: buyer.clone(),
        };
        self.status(line, sale, ticket, pace, now_us)
    }

    /// Reads a ticket; `None` if it is none of this server, or has expired.
    pub(super) fn read(&self, signed: &str, now_us: u64) -> Option<TicketOf> {
        let ticket = Ticket::read(signed, &self.keys)?;
        is_valid(ticket.expires_s, now_us).then_some(TicketOf(ticket))
    }

    /// The state of a ticket for this sale. One that waits is renewed: it expires only if nobody
    /// asks for it. `None` if it is for another sale.
    pub(super) fn look(
        &self,
        sale: &SaleView,
        TicketOf(ticket): TicketOf,
        load: Load,
        now_us: u64,
    ) -> Option<TicketStatus> {
        if ticket.sale != self.keys.sale(sale) {
            return None;
        }
        let pace = self.pace(load);
        let mut lines = self.lines();
        let line = line_of(&mut lines, sale, now_us);
        line.saw_mark(ticket.mark);
        line.saw_taken(ticket.early, ticket.taken);
        if ticket.kind != Kind::Admitted {
            let is_early = ticket.kind == Kind::Early;
            line.saw(Number { number: ticket.number, is_early });
        }
        Some(self.status(line, sale, ticket, pace, now_us))
    }

    /// Whether this is an admitted ticket of the buyer for the sale.
    pub(super) fn admits(
        &self,
        signed: &str,
        sale: &SaleView,
        buyer: &BuyerId,
        now_us: u64,
    ) -> bool {
        self.read(signed, now_us).is_some_and(|TicketOf(ticket)| {
            ticket.kind == Kind::Admitted
                && ticket.buyer == *buyer
                && ticket.sale == self.keys.sale(sale)
        })
    }

    /// The state of a ticket at this moment, which is kept for its buyer.
    fn status(
        &self,
        line: &mut Line,
        sale: &SaleView,
        ticket: Ticket,
        pace: Pace,
        now_us: u64,
    ) -> TicketStatus {
        let is_early = ticket.kind == Kind::Early;
        let number = Number { number: ticket.number, is_early };
        let place = self.place(line, number, &ticket);
        let mark = line.mark(pace, now_us);
        let was_admitted = ticket.kind == Kind::Admitted;
        let is_admitted = was_admitted || place < mark;
        let kind = if is_admitted { Kind::Admitted } else { ticket.kind };
        // Once it is admitted its time runs, but not while there is nothing to buy.
        let expires_s = match sale.left {
            1.. if was_admitted => ticket.expires_s,
            _ => self.expires_s(now_us.max(line.opens_us())),
        };
        let (early, taken) = line.taken();
        let ticket = Ticket { kind, expires_s, mark, early, taken, ..ticket };
        let key = self.held.key(&(sale.epoch, &ticket.buyer));
        self.held.shard(key).set(key, Held { kind, number: ticket.number, expires_s });
        if is_admitted {
            return self.answer("admitted", &ticket, None, None);
        }
        // What is drawn is not told before the opening, nor does it change from then on.
        let is_told = !self.is_drawn(number) || line.is_open(now_us);
        let eta_of = if is_told { place } else { 0 };
        let eta = line.eta(eta_of, pace, now_us);
        self.answer("waiting", &ticket, is_told.then_some(place - mark), eta)
    }

    /// When a ticket expires that is valid from this moment on: in whole seconds, and not before
    /// its time is over.
    fn expires_s(&self, from_us: u64) -> u64 {
        let ttl_us = u64::try_from(self.ticket_ttl.as_micros()).unwrap_or(u64::MAX);
        from_us.saturating_add(ttl_us).div_ceil(1_000_000)
    }

    fn is_drawn(&self, number: Number) -> bool {
        number.is_early && self.order == RoomOrder::Shuffled
    }

    /// The place of a ticket. What is drawn follows from the buyer's name and not from the number:
    /// otherwise more tickets would be more chances.
    fn place(&self, line: &Line, number: Number, Ticket { sale, buyer, .. }: &Ticket) -> u64 {
        let draw = || self.keys.draw(&format!("{sale}~{buyer}"));
        line.place(number, self.is_drawn(number).then(draw))
    }

    fn answer(
        &self,
        status: &str,
        ticket: &Ticket,
        position: Option<u64>,
        eta: Option<Duration>,
    ) -> TicketStatus {
        TicketStatus {
            status: status.into(),
            ticket: ticket.signed(&self.keys),
            item: ticket.item.to_string(),
            position,
            eta_ms: eta.map(|eta| eta.as_millis() as u64),
            expires_us: ticket.expires_s.saturating_mul(1_000_000),
        }
    }

    /// How fast tickets are admitted now.
    fn pace(&self, load: Load) -> Pace {
        match (self.rate, load.is_overload) {
            (Some(rate), _) => Pace::Fixed(rate),
            (None, true) => Pace::Measured(0),
            (None, false) => {
                let decided = load.decided_per_second.unwrap_or(0.0) as u64;
                Pace::Measured((decided.saturating_mul(MEASURED_PERCENT) / 100).max(MEASURED_MIN))
            }
        }
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<u64, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what expires then is valid now.
fn is_valid(expires_s: u64, now_us: u64) -> bool {
    expires_s.saturating_mul(1_000_000) > now_us
}

/// A ticket that is signed and has not expired.
#[derive(Debug)]
pub(super) struct TicketOf(Ticket);

impl TicketOf {
    /// The item that it is for.
    pub(super) fn item(&self) -> &crate::ids::ItemId {
        &self.0.item
    }
}

/// The line of a sale, which begins with the first ticket.
fn line_of<'a>(lines: &'a mut BTreeMap<u64, Line>, sale: &SaleView, now_us: u64) -> &'a mut Line {
    while lines.len() >= LINES_MAX && !lines.contains_key(&sale.epoch) {
        lines.pop_first();
    }
    lines.entry(sale.epoch).or_insert_with(|| Line::new(sale.terms.opens_us, now_us))
}
