//! The waiting room: buyers take a ticket, and are admitted to the sale at the rate that it can
//! take.
//!
//! A ticket is signed and says all that is needed to judge it, so the room keeps one line for each
//! sale, and nothing for each ticket but its number, in a table of bounded size, so that a buyer
//! who takes a ticket again gets the same one. When its turn has come, a ticket is exchanged for an
//! admitted one, which every process that has the secret recognizes without asking anybody.

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
    /// The number of each ticket, twice, and 1 more if it was taken before the opening; by epoch
    /// and buyer.
    numbers: BoundedTable,
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
            numbers: BoundedTable::default(),
        }
    }

    /// The ticket of a buyer for a sale: the one that it has, or else a new one. A buyer whose turn
    /// has been over for as long as a ticket is valid is at the end of the line again.
    pub(super) fn take(
        &self,
        sale: &SaleView,
        buyer: &BuyerId,
        load: Load,
        now_us: u64,
    ) -> TicketStatus {
        let key = self.numbers.key(&(sale.epoch, buyer));
        let pace = self.pace(load);
        let mut lines = self.lines();
        let line = line_of(&mut lines, sale, now_us);
        let mut numbers = self.numbers.shard(key);
        let known = numbers.get(key);
        let known = known.map(|known| Number { number: known >> 1, is_early: known & 1 == 1 });
        let over = pace.places_in(self.ticket_ttl);
        let is_valid = |number: &Number| {
            let place = self.place(line, *number, sale.epoch, buyer);
            line.mark(pace, now_us).saturating_sub(place) <= over
        };
        let number = known.filter(is_valid).unwrap_or_else(|| line.take(pace, now_us));
        numbers.set(key, (number.number << 1) | u64::from(number.is_early));
        drop(numbers);
        let ticket = Ticket {
            kind: if number.is_early { Kind::Early } else { Kind::Late },
            item: sale.terms.item.clone(),
            epoch: sale.epoch,
            number: number.number,
            expires_s: 0,
            buyer: buyer.clone(),
        };
        self.status(line, ticket, pace, now_us)
    }

    /// Reads a ticket; `None` if it is none of this server, or has expired.
    pub(super) fn read(&self, signed: &str, now_us: u64) -> Option<TicketOf> {
        let ticket = Ticket::read(signed, &self.keys)?;
        let is_valid = ticket.expires_s.saturating_mul(1_000_000) > now_us;
        is_valid.then_some(TicketOf(ticket))
    }

    /// The state of a ticket for this sale. One that waits is renewed: it expires only if nobody
    /// asks for it. `None` if it is for an earlier sale.
    pub(super) fn look(
        &self,
        sale: &SaleView,
        TicketOf(ticket): TicketOf,
        load: Load,
        now_us: u64,
    ) -> Option<TicketStatus> {
        if ticket.epoch != sale.epoch {
            return None;
        }
        if ticket.kind == Kind::Admitted {
            // While there is nothing to buy, its time does not run.
            let expires_s = match sale.left {
                ..=0 => (now_us / 1_000_000).saturating_add(self.ticket_ttl.as_secs()),
                _ => ticket.expires_s,
            };
            let ticket = Ticket { expires_s, ..ticket };
            return Some(self.answer("admitted", &ticket, None, None));
        }
        let pace = self.pace(load);
        let mut lines = self.lines();
        let line = line_of(&mut lines, sale, now_us);
        line.saw(Number { number: ticket.number, is_early: ticket.kind == Kind::Early });
        Some(self.status(line, ticket, pace, now_us))
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
                && ticket.epoch == sale.epoch
                && ticket.item == sale.terms.item
                && ticket.buyer == *buyer
        })
    }

    fn status(&self, line: &mut Line, ticket: Ticket, pace: Pace, now_us: u64) -> TicketStatus {
        let number = Number { number: ticket.number, is_early: ticket.kind == Kind::Early };
        let place = self.place(line, number, ticket.epoch, &ticket.buyer);
        let mark = line.mark(pace, now_us);
        let ttl_s = self.ticket_ttl.as_secs();
        let opens_s = line.opens_us() / 1_000_000;
        let expires_s = (now_us / 1_000_000).max(opens_s).saturating_add(ttl_s);
        if place < mark {
            let ticket = Ticket { kind: Kind::Admitted, expires_s, ..ticket };
            return self.answer("admitted", &ticket, None, None);
        }
        let ticket = Ticket { expires_s, ..ticket };
        // What is drawn is not told before the opening, nor does it change from then on.
        let is_told = !self.is_drawn(number) || line.is_open(now_us);
        let eta_of = if is_told { place } else { 0 };
        let eta = line.eta(eta_of, pace, now_us);
        self.answer("waiting", &ticket, is_told.then_some(place - mark), eta)
    }

    fn is_drawn(&self, number: Number) -> bool {
        number.is_early && self.order == RoomOrder::Shuffled
    }

    /// The place of a ticket. What is drawn follows from the buyer's name and not from the number:
    /// otherwise more tickets would be more chances.
    fn place(&self, line: &Line, number: Number, epoch: u64, buyer: &BuyerId) -> u64 {
        let draw = || self.keys.draw(&format!("{epoch}~{buyer}"));
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
