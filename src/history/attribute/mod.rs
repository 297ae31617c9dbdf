//! [`attribute`]: makes a ledger of the records of somebody else's shop. Each record gets the
//! attempt that it can belong to, in such a way that no right shop is accused.

mod candidates;
mod key;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use crate::ids::{OrderId, RequestId};

use super::{AttemptNo, Found, FoundStatus, History, Ledger, Loss, Row, SaleTerms, Status, Tells};
use candidates::Candidates;
use key::Keys;

/// The buyer whose id is a UUID, in any usual form.
pub fn buyer_by_uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text.trim()).ok()
}

/// Makes a ledger of the records that a source has shown, all of them in the source's order.
/// `tells` says what the source is described to tell; the ledger says what it really told of every
/// record. `buyer_of` translates the source's word for a buyer to the run's buyer.
///
/// A record without a request id goes to the attempt that was told of its order, or else to one of
/// its buyer's attempts, leniently: to one that can have won before one that cannot. What nobody
/// can have made gets an id of its own, which is the same in each reading, so that the record is
/// recognised if [`History::before`] has it. Its time is linear in the records and attempts.
pub fn attribute(
    found: Vec<Found>,
    sale: SaleTerms,
    tells: Tells,
    history: &History,
    buyer_of: &dyn Fn(&str) -> Option<Uuid>,
) -> Ledger {
    let tells = tells_of(&found, tells);
    let mut records = records(&found, history, buyer_of);
    find_earlier(&mut records, history);
    find_owners(&mut records, history, tells);
    let mut rows = rows(&records, history, tells);
    if tells.positions {
        rows.sort_by_key(|row| row.seq);
    }
    Ledger { sale, rows, is_miscounted: false, tells }
}

/// What the source told of every record.
fn tells_of(found: &[Found], tells: Tells) -> Tells {
    let all = |has: &dyn Fn(&Found) -> bool| found.iter().all(has);
    Tells {
        request_ids: tells.request_ids && all(&|found| found.request_id().is_some()),
        buyers: tells.buyers && all(&|found| found.buyer().is_some()),
        order_ids: tells.order_ids
            && all(&|found| found.status != FoundStatus::Won || found.order_id().is_some()),
        items: tells.items && all(&|found| found.item.is_some()),
        positions: tells.positions && all(&|found| found.seq.is_some()),
        times: tells.times && all(&|found| found.accepted_us.is_some()),
        ..tells
    }
}

/// A record on its way to a row.
struct Record<'a> {
    found: &'a Found,
    /// The id of its attempt, or one of its own.
    id: RequestId,
    /// Whether the source gave the id.
    has_id: bool,
    /// The run's buyer that the source names.
    buyer: Option<Uuid>,
    uid: Box<str>,
    is_earlier: bool,
}

fn records<'a>(
    found: &'a [Found],
    history: &History,
    buyer_of: &dyn Fn(&str) -> Option<Uuid>,
) -> Vec<Record<'a>> {
    let mut keys = Keys::default();
    let record = |found: &'a Found| {
        let given = found.parsed_id();
        let id = given.unwrap_or_else(|| keys.id_of(found));
        let buyer = found.buyer().and_then(buyer_of);
        let is_earlier = history.before.contains_key(&id);
        // An earlier record may be of another run, whose buyers are not known.
        let ours = || sent(history, &given?).filter(|_| !is_earlier);
        let by_attempt = || Some(history.ids.buyer(ours()?));
        let uid = match (buyer, found.buyer()) {
            (Some(buyer), _) => buyer.to_string().into(),
            (None, Some(text)) => text.into(),
            (None, None) => by_attempt().map(|buyer| buyer.to_string()).unwrap_or_default().into(),
        };
        // An id that is none of ours is of nobody.
        let has_id = found.request_id().is_some();
        Record { found, id, has_id, buyer, uid, is_earlier }
    };
    found.iter().map(record).collect()
}

/// Finds the records of attempts that were queued before the run and have been decided since: the
/// id of a record that names only a buyer depends on its state.
fn find_earlier(records: &mut [Record<'_>], history: &History) {
    let is_queued = |row: &&Row| row.status == Status::Queued && !row.uid.is_empty();
    let mut queued: Vec<&Row> = history.before.values().filter(is_queued).collect();
    if queued.is_empty() {
        return;
    }
    let known: HashSet<RequestId> = records.iter().map(|record| record.id).collect();
    queued.retain(|row| !known.contains(&row.request_id));
    queued.sort_unstable_by_key(|row| row.request_id);
    let mut queued_of: HashMap<&str, Vec<RequestId>> = HashMap::new();
    for row in queued {
        queued_of.entry(&row.uid).or_default().push(row.request_id);
    }
    for record in records.iter_mut().filter(|record| !record.has_id && !record.is_earlier) {
        if let Some(id) = queued_of.get_mut(&*record.uid).and_then(Vec::pop) {
            (record.id, record.is_earlier) = (id, true);
        }
    }
}

/// Gives each record of nobody an attempt of this run that it can belong to, if there is one.
fn find_owners(records: &mut [Record<'_>], history: &History, tells: Tells) {
    let mut taken: HashSet<AttemptNo> = HashSet::new();
    for record in records.iter().filter(|record| record.has_id) {
        taken.extend(history.ids.attempt(&record.id));
    }
    let is_free = |record: &Record<'_>| !record.has_id && !record.is_earlier;
    let told = told_orders(history);
    let mut rest = Vec::new();
    for record in records.iter_mut().filter(|record| is_free(record)) {
        let attempt = record.found.order_id().and_then(|id| told.get(id)).copied();
        // Of a record that names a buyer, only one of that buyer's attempts can be the owner.
        let is_owner = |attempt: &AttemptNo| match record.found.buyer() {
            Some(_) => record.buyer == Some(history.ids.buyer(*attempt)),
            None => true,
        };
        match attempt.filter(is_owner).filter(|attempt| taken.insert(*attempt)) {
            Some(attempt) => record.give_to(attempt, history),
            None if record.buyer.is_some() => rest.push(record),
            None => {}
        }
    }
    if rest.is_empty() {
        return;
    }
    let buyers: HashSet<Uuid> = rest.iter().filter_map(|record| record.buyer).collect();
    let mut candidates = Candidates::of(history, tells, &buyers, &taken);
    // Orders first: they take the attempts that can have won.
    rest.sort_by_key(|record| match record.found.status {
        FoundStatus::Won => 0,
        FoundStatus::Lost(_) => 1,
        FoundStatus::Queued => 2,
    });
    for record in rest {
        let attempt = record.buyer.and_then(|of| candidates.take(of, record.found.status));
        if let Some(attempt) = attempt {
            record.give_to(attempt, history);
        }
    }
}

/// The attempts of this run that were told of an order, by its id.
fn told_orders(history: &History) -> HashMap<&str, AttemptNo> {
    let told = history.told_orders().filter(|(order_id, ..)| order_id.is_told());
    let told = told.filter_map(|(order_id, id, _)| Some((order_id.as_str(), sent(history, &id)?)));
    let mut attempts = HashMap::new();
    for (order_id, attempt) in told {
        attempts.entry(order_id).or_insert(attempt);
    }
    attempts
}

/// The attempt of this run with this id.
fn sent(history: &History, id: &RequestId) -> Option<AttemptNo> {
    history.ids.attempt(id).filter(|attempt| history.was_sent(*attempt))
}

impl Record<'_> {
    fn give_to(&mut self, attempt: AttemptNo, history: &History) {
        self.id = history.ids.request_id(attempt);
        if self.uid.is_empty() {
            self.uid = history.ids.buyer(attempt).to_string().into();
        }
    }
}

fn rows(records: &[Record<'_>], history: &History, tells: Tells) -> Vec<Row> {
    let mut item: Arc<str> = history.item.as_str().into();
    let ours = Arc::clone(&item);
    let row = |(record, at): (&Record<'_>, u64)| {
        let found = record.found;
        let item = match found.item.as_deref() {
            None => Arc::clone(&ours),
            Some(text) => {
                if *item != *text {
                    item = text.into();
                }
                Arc::clone(&item)
            }
        };
        let (accepted_us, decided_us) = match tells.times {
            true => (found.accepted_us.unwrap_or(0), found.decided_us),
            false => (0, None),
        };
        Row {
            request_id: record.id,
            uid: record.uid.clone(),
            item,
            seq: if tells.positions { found.seq.unwrap_or(at) } else { at },
            accepted_us,
            decided_us: decided_us.filter(|_| found.status != FoundStatus::Queued),
            status: status(found),
            order: None,
        }
    };
    records.iter().zip(0..).map(row).collect()
}

fn status(found: &Found) -> Status {
    match found.status {
        FoundStatus::Won => {
            Status::Won(found.order_id().map_or_else(OrderId::untold, OrderId::from_text))
        }
        // The shop has reasons of its own.
        FoundStatus::Lost(Loss::Foreign) => Status::Lost(Loss::Unstated),
        FoundStatus::Lost(loss) => Status::Lost(loss),
        FoundStatus::Queued => Status::Queued,
    }
}
