//! [`Facts`]: history and ledger, joined by request id.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use crate::history::{Answered, Entry, History, Hours, Ids, Ledger, Row, Status, Tells, View};
use crate::ids::{OrderId, RequestId};

use super::id_map::IdMap;
use super::made::Made;
use super::missing::{Missing, only_told};
use super::order::Order;
use super::origin::Origin;
use super::server_clock::ServerClock;
use super::sums::{adds_up, oversold_by};

/// History and ledger, joined by request id. Building it takes time linear in the size of both.
pub(super) struct Facts<'a> {
    pub(super) history: &'a History,
    pub(super) ledger: &'a Ledger,
    /// Whether that is the ledger after the run: what buyers were told is judged without one, too.
    pub(super) has_ledger: bool,
    /// Whether nothing was queued when the ledger was read.
    pub(super) is_settled: bool,
    /// Whether another sale of the item was opened during the run: attempts may belong to that one.
    pub(super) is_replaced: bool,
    /// Rows that won, in the ledger's order.
    pub(super) orders: Vec<&'a Row>,
    /// Those whose orders take a unit: all of them, but for orders that were given back.
    pub(super) kept: Vec<&'a Row>,
    /// Whether the sale holds its orders, so that units may come back.
    pub(super) holds: bool,
    /// What the source of the ledger can tell.
    pub(super) tells: Tells,
    /// Orders of which buyers were told whose attempts did not win by the ledger, each once.
    pub(super) only_told: Vec<(&'a OrderId, RequestId)>,
    /// Attempts that were told of an order that the ledger certainly does not have for them, if its
    /// source does not tell everything.
    pub(super) missing: HashSet<RequestId>,
    /// The position of each attempt's row; of several rows of one attempt, the last one's.
    by_id: IdMap<usize>,
    /// The orders of each buyer, those that were given back included.
    pub(super) orders_of: HashMap<&'a str, u64>,
    /// Attempts of this run that were accepted.
    pub(super) accepted: Vec<Made<'a>>,
    /// Attempts of this run of which it is unknown whether they had an effect.
    pub(super) unknown: Vec<Made<'a>>,
    /// Where each row of the ledger comes from, in the ledger's order.
    pub(super) origins: Vec<Origin>,
    /// Rows of attempts that have an earlier row.
    pub(super) repeated: Vec<&'a Row>,
    /// Pairs of answers to the same attempt, which has a row.
    pub(super) answered_twice: Vec<(&'a Entry, &'a Entry)>,
    /// Bounds of the tested system's clocks; `None` if the history has no times.
    pub(super) clock: Option<ServerClock>,
    /// Whether each result can be true, once a rule has asked for it.
    pub(super) truths: OnceCell<Vec<bool>>,
    /// When each new order was made, once a rule has asked for it.
    pub(super) order_times: OnceCell<Vec<Order<'a>>>,
}

/// Whether two epochs are of the same sale. A system that does not number its sales has one.
pub(super) fn is_same_sale(one: u64, other: u64) -> bool {
    one == other || one == 0 || other == 0
}

impl<'a> Facts<'a> {
    pub(super) fn gather(history: &'a History, ledger: &'a Ledger, is_settled: bool) -> Self {
        let epoch = ledger.sale.epoch;
        let tells = ledger.tells;
        let mut epochs = history.views.iter().map(|view| view.sale.epoch);
        let is_replaced = tells.states && epochs.any(|other| !is_same_sale(other, epoch));
        let won = |row: &&Row| matches!(row.status, Status::Won(_));
        let orders: Vec<&Row> = ledger.rows.iter().filter(won).collect();
        let kept = orders.iter().filter(|row| row.takes_unit()).copied().collect();
        let mut orders_of = HashMap::new();
        for order in orders.iter().filter(|order| tells.buyers || !order.uid.is_empty()) {
            *orders_of.entry(&*order.uid).or_default() += 1;
        }
        let mut rows = Rows::of(history, ledger);
        let (mut accepted, mut unknown) = (Vec::new(), Vec::new());
        for entry in &history.entries {
            let made = rows.join(entry);
            match entry.answered {
                Answered::Unknown => unknown.push(made),
                _ => accepted.push(made),
            }
        }
        // Without times, or with times of rows that may be of other attempts, no clock is known.
        let clock = ServerClock::bounded_by(history.began_us, accepted.iter());
        let clock = clock.filter(|_| tells.times && tells.request_ids);
        let origins = rows.origins(clock);
        let Rows { by_id, repeated, answered_twice, .. } = rows;
        let (only_told, missing) = if is_replaced {
            (Vec::new(), HashSet::new())
        } else if tells.is_everything() {
            (only_told(history, &by_id, ledger), HashSet::new())
        } else {
            let Missing { orders, attempts } = Missing::find(history, &by_id, ledger, &origins);
            (orders, attempts)
        };
        let repeated = repeated.into_iter().map(|(_, at)| &ledger.rows[at]).collect();
        Self {
            history,
            ledger,
            has_ledger: true,
            is_settled,
            is_replaced,
            tells,
            missing,
            orders,
            kept,
            holds: ledger.sale.hold_us.is_some(),
            only_told,
            by_id,
            orders_of,
            accepted,
            unknown,
            origins,
            repeated,
            answered_twice,
            clock,
            truths: OnceCell::new(),
            order_times: OnceCell::new(),
        }
    }

    /// The states of the sale that is judged.
    pub(super) fn views(&self) -> impl Iterator<Item = &'a View> + use<'a> {
        let epoch = self.ledger.sale.epoch;
        self.all_views().filter(move |view| is_same_sale(view.sale.epoch, epoch))
    }

    /// The states of all sales, from which something can be concluded.
    pub(super) fn all_views(&self) -> impl DoubleEndedIterator<Item = &'a View> + use<'a> {
        let shown = if self.tells.states { usize::MAX } else { 0 };
        self.history.views.iter().take(shown)
    }

    /// The row of an attempt.
    pub(super) fn row_of(&self, request_id: &RequestId) -> Option<&'a Row> {
        self.by_id.get(request_id).map(|at| &self.ledger.rows[*at])
    }

    /// Units at the opening, if they are known.
    pub(super) fn stock(&self) -> Option<u64> {
        known_stock(self.history, self.ledger)
    }

    /// Whether units are certainly left, and were at any time: if there are no more of them than
    /// have come back, there may have been none meanwhile.
    pub(super) fn has_units_left(&self) -> bool {
        self.tells.stock && i128::from(self.ledger.sale.stock_left) > self.returned() as i128
    }

    /// Orders that were given back.
    pub(super) fn returned(&self) -> usize {
        self.orders.len() - self.kept.len()
    }

    /// Orders that buyers were told of and the ledger does not have, and that certainly take a
    /// unit: at a sale that holds its orders, they may have been given back.
    pub(super) fn only_told_kept(&self) -> &[(&'a OrderId, RequestId)] {
        if self.holds { &[] } else { &self.only_told }
    }

    /// Whether the buyer of this id certainly has fewer orders than one may have.
    pub(super) fn is_below_limit(&self, uid: &str) -> bool {
        let orders = self.orders_of.get(uid).copied().unwrap_or(0);
        match self.tells.limit {
            true => orders < u64::from(self.ledger.sale.per_buyer),
            false => orders == 0,
        }
    }

    /// Orders that take a unit above the stock, whether the ledger has them or a buyer was told of
    /// them.
    pub(super) fn oversold_in_the_end(&self) -> usize {
        let Some(stock) = self.stock() else { return 0 };
        let stock = usize::try_from(stock).unwrap_or(usize::MAX);
        (self.kept.len() + self.only_told_kept().len()).saturating_sub(stock)
    }

    /// The same, at the moment at which there were most.
    pub(super) fn oversold(&self) -> u64 {
        let meanwhile = self.most_oversold_view().map_or(0, oversold_by);
        meanwhile.max(self.oversold_in_the_end() as u64)
    }

    /// The state with the most orders above the stock, of a sale that holds its orders: these may
    /// have been given back since. All orders of another sale are in the ledger.
    pub(super) fn most_oversold_view(&self) -> Option<&'a View> {
        let oversold = self.views().filter(|view| self.holds && adds_up(view));
        oversold.filter(|view| oversold_by(view) > 0).max_by_key(|view| oversold_by(view))
    }

    /// All attempts that had an effect, or may have had one.
    pub(super) fn made(&self) -> impl Iterator<Item = &Made<'a>> {
        self.accepted.iter().chain(&self.unknown)
    }

    /// When the last of these attempts was answered. The ledger was requested later.
    pub(super) fn load_end_us(&self) -> u64 {
        self.made().map(|made| made.entry.answered_us).max().unwrap_or(0)
    }

    /// The rows with their origins, in the ledger's order.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'a Row, Origin)> {
        self.ledger.rows.iter().zip(self.origins.iter().copied())
    }

    /// Whether others have bought during the run, too.
    pub(super) fn has_other_buyers(&self) -> bool {
        self.origins.iter().any(|origin| !matches!(origin, Origin::Earlier | Origin::Made))
    }

    /// Accepted attempts of this run that are not decided.
    pub(super) fn unresolved(&self) -> impl Iterator<Item = &RequestId> {
        let is_missing = self.tells.attempts;
        let undecided =
            move |made: &&Made<'_>| made.row.map_or(is_missing, |row| row.status == Status::Queued);
        self.accepted.iter().filter(undecided).map(|made| &made.request_id)
    }

    /// The hours of the sale, from all places that show one of them; `None` if nothing shows an
    /// opening or a closing. If only one of the two is shown, the sale does not have the other; if
    /// it was opened for the run and shows none, it has none.
    pub(super) fn hours(&self) -> Option<Hours> {
        let epoch = self.ledger.sale.epoch;
        let is_fresh = self.all_views().any(|view| view.sale.opened);
        let views = self.all_views().filter(|view| view.sale.epoch == epoch);
        let mut hours = self.ledger.sale.hours;
        for shown in views.map(|view| view.sale.hours) {
            hours.opens_us = hours.opens_us.or(shown.opens_us);
            hours.closes_us = hours.closes_us.or(shown.closes_us);
        }
        (hours != Hours::default() || is_fresh).then_some(hours)
    }
}

/// Units at the opening: as the ledger has them; if its source does not count them, as expected.
pub(super) fn known_stock(history: &History, ledger: &Ledger) -> Option<u64> {
    if ledger.tells.stock { Some(ledger.sale.stock) } else { history.expected_stock }
}

/// The ledger's rows while the history is joined to them.
struct Rows<'a> {
    history: &'a History,
    rows: &'a [Row],
    by_id: IdMap<usize>,
    /// The row before the run of each row.
    earlier: Vec<Option<&'a Row>>,
    /// The entry of each row.
    entries: Vec<Option<&'a Entry>>,
    /// The position of an earlier row of the same attempt, and that of the row.
    repeated: Vec<(usize, usize)>,
    answered_twice: Vec<(&'a Entry, &'a Entry)>,
}

impl<'a> Rows<'a> {
    fn of(history: &'a History, ledger: &'a Ledger) -> Self {
        let rows = &ledger.rows[..];
        let mut by_id = IdMap::with_capacity_and_hasher(rows.len(), Default::default());
        let mut repeated = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            if let Some(before) = by_id.insert(row.request_id, at) {
                repeated.push((before, at));
            }
        }
        let entries = vec![None; rows.len()];
        let earlier = rows.iter().map(|row| earlier(history, &row.request_id)).collect();
        Self { history, rows, by_id, earlier, entries, repeated, answered_twice: Vec::new() }
    }

    fn join(&mut self, entry: &'a Entry) -> Made<'a> {
        let request_id = self.history.ids.request_id(entry.attempt);
        let at = self.by_id.get(&request_id).copied();
        let Some(at) = at else {
            let earlier = earlier(self.history, &request_id);
            return Made { request_id, entry, row: None, earlier };
        };
        match self.entries[at] {
            Some(other) => self.answered_twice.push((other, entry)),
            None => self.entries[at] = Some(entry),
        }
        Made { request_id, entry, row: Some(&self.rows[at]), earlier: self.earlier[at] }
    }

    fn origins(&mut self, clock: Option<ServerClock>) -> Vec<Origin> {
        // Entries are joined to the last row of an attempt; its other rows are of the same origin.
        for (before, at) in self.repeated.iter().rev() {
            self.entries[*before] = self.entries[*at];
        }
        let ids = &self.history.ids;
        let origin = |((row, earlier), entry): ((&Row, &Option<&Row>), &Option<&Entry>)| {
            if earlier.is_some() {
                Origin::Earlier
            } else if entry.is_some() {
                Origin::Made
            } else if self.was_sent(row) {
                Origin::Refused
            } else if is_of_other_run(ids, row, clock) {
                Origin::OtherRun
            } else {
                Origin::Foreign
            }
        };
        self.rows.iter().zip(&self.earlier).zip(&self.entries).map(origin).collect()
    }

    /// Whether the row belongs to an attempt that this run made.
    fn was_sent(&self, row: &Row) -> bool {
        let attempt = self.history.ids.attempt(&row.request_id);
        attempt.is_some_and(|attempt| self.history.was_sent(attempt))
    }
}

/// Whether the row is of an attempt of another run that had its effect during this one: the ledger
/// before this run would have one that was accepted earlier.
fn is_of_other_run(ids: &Ids, row: &Row, clock: Option<ServerClock>) -> bool {
    let is_earlier = || clock.is_some_and(|clock| clock.latest_moment(row.accepted_us) == 0);
    Ids::is_of_any_run(&row.request_id) && ids.attempt(&row.request_id).is_none() && !is_earlier()
}

/// The row of an attempt before the run.
fn earlier<'a>(history: &'a History, request_id: &RequestId) -> Option<&'a Row> {
    // Most sales are fresh: then no id needs to be hashed.
    if history.before.is_empty() { None } else { history.before.get(request_id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sale_without_a_number_may_be_any_sale() {
        assert!(is_same_sale(1, 1) && is_same_sale(0, 1) && is_same_sale(1, 0));
        assert!(!is_same_sale(1, 2));
    }
}
