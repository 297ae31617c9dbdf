//! Records of each kind get the attempt that they can belong to.

use super::*;
use crate::history::{Answered, Entry, Hours, Ids, ResultRead};
use crate::settings::Buyers;

const COUNTED: Tells = Tells { stock: true, ..Tells::COUNT };

fn ids() -> Ids {
    Ids::new(7, Buyers::Pool(2))
}

fn attempt(index: u64) -> AttemptNo {
    AttemptNo { thread: 0, index }
}

/// Attempts of one virtual user, all by the first one's buyer; those without an answer are refused.
fn history(answers: &[Option<Answered>]) -> (History, Vec<AttemptNo>) {
    let buyer = ids().buyer(attempt(0));
    let of_buyer = (0..).map(attempt).filter(|attempt| ids().buyer(*attempt) == buyer);
    let attempts: Vec<AttemptNo> = of_buyer.take(answers.len()).collect();
    let mut history = History::new(ids(), "tea".parse().unwrap(), 1, 0);
    history.sent = vec![attempts.last().map_or(0, |last| last.index + 1)];
    for (attempt, answered) in attempts.iter().zip(answers) {
        let Some(answered) = answered.clone() else { continue };
        let attempt = *attempt;
        history.entries.push(Entry {
            attempt,
            answered,
            sent_us: 1,
            answered_us: 2,
            refusal: None,
        });
    }
    (history, attempts)
}

fn won(order_id: &str) -> Option<Answered> {
    Some(Answered::Won(Box::new(OrderId::from_text(order_id))))
}

fn found(buyer: Option<Uuid>, order_id: &str) -> Found {
    let text = |text: String| (!text.is_empty()).then(|| text.into());
    let buyer = buyer.map(|buyer| buyer.simple().to_string().to_uppercase()).unwrap_or_default();
    Found { buyer: text(buyer), order_id: text(order_id.into()), ..Found::default() }
}

fn read(found: Vec<Found>, tells: Tells, history: &History) -> Ledger {
    let (item, hours) = ("tea".into(), Hours::default());
    let (per_buyer, hold_us) = (u32::MAX, None);
    let sale = SaleTerms { item, epoch: 0, stock: 9, stock_left: 0, per_buyer, hours, hold_us };
    attribute(found, sale, tells, history, &buyer_by_uuid)
}

/// The attempt of each row, in the ledger's order.
fn owners(ledger: &Ledger) -> Vec<Option<AttemptNo>> {
    ledger.rows.iter().map(|row| ids().attempt(&row.request_id)).collect()
}

#[test]
fn record_with_a_request_id_is_of_that_attempt() {
    let (history, attempts) = history(&[Some(Answered::Accepted)]);
    let id = ids().request_id(attempts[0]);
    let with_id = Found {
        request_id: Some(id.0.braced().to_string().into()),
        seq: Some(3),
        ..Found::default()
    };
    let ledger = read(vec![with_id], Tells { request_ids: true, ..COUNTED }, &history);
    let row = &ledger.rows[0];
    assert_eq!((row.request_id, &*row.item, row.seq), (id, "tea", 0), "positions are not told");
    assert_eq!(*row.uid, *ids().buyer(attempts[0]).to_string());
    assert_eq!(row.status, Status::Won(OrderId::untold()));
    assert!(ledger.tells.request_ids && !ledger.tells.positions);
}

#[test]
fn records_of_a_buyer_go_to_those_attempts_first_that_can_have_won() {
    let answers = [
        None,
        Some(Answered::Lost(Loss::SoldOut)),
        Some(Answered::Unknown),
        Some(Answered::Accepted),
        won("o-1"),
        won("o-2"),
    ];
    let (mut history, attempts) = history(&answers);
    let buyer = Some(ids().buyer(attempts[0]));
    let tells = Tells { buyers: true, ..COUNTED };
    let of = |history: &History, n: usize, tells: Tells| {
        owners(&read(vec![found(buyer, ""); n], tells, history))
    };
    let expected = [4, 5, 3, 2, 1, 0].map(|at: usize| Some(attempts[at]));
    assert_eq!(of(&history, 6, tells), expected);
    assert_eq!(of(&history, 7, tells)[6], None, "more records than attempts");
    // An attempt whose result says that it lost comes later.
    let request_id = ids().request_id(attempts[3]);
    let status = Some(Status::Lost(Loss::SoldOut));
    history.results.push(ResultRead {
        request_id,
        status,
        order: None,
        held_until_us: None,
        sent_us: 3,
        answered_us: 4,
    });
    assert_eq!(of(&history, 3, tells)[2], Some(attempts[2]));
    // The order of the same id is the attempt's, wherever it stands.
    let tells = Tells { order_ids: true, ..tells };
    let records = ["o-9", "o-2", "o-1"].map(|id| found(buyer, id)).to_vec();
    let expected = [2, 5, 4].map(|at: usize| Some(attempts[at]));
    assert_eq!(owners(&read(records, tells, &history)), expected);
}

#[test]
fn record_with_an_order_id_alone_is_of_the_attempt_that_was_told_of_it() {
    let (history, attempts) = history(&[Some(Answered::Accepted), won("o-1")]);
    let tells = Tells { order_ids: true, ..COUNTED };
    let records = vec![found(None, "o-1"), found(None, "o-2"), Found::default()];
    let ledger = read(records, tells, &history);
    assert_eq!(owners(&ledger), [Some(attempts[1]), None, None]);
    assert_eq!(*ledger.rows[0].uid, *ids().buyer(attempts[1]).to_string());
    assert_eq!(*ledger.rows[1].uid, *"");
    assert!(!ledger.tells.order_ids, "one record has none");
}

#[test]
fn order_that_was_told_to_another_buyer_stays_with_the_buyer_of_the_record() {
    let (history, attempts) = history(&[won("o-1")]);
    let other = (0..).map(attempt).map(|attempt| ids().buyer(attempt));
    let other = other.into_iter().find(|one| *one != ids().buyer(attempts[0]));
    let ledger = read(vec![found(other, "o-1")], Tells { buyers: true, ..COUNTED }, &history);
    assert_ne!(owners(&ledger), [Some(attempts[0])]);
}

#[test]
fn record_that_was_there_before_the_run_is_not_attributed() {
    let answers = [Some(Answered::Accepted), Some(Answered::Accepted)];
    let (mut history, attempts) = history(&answers);
    let buyer = Some(ids().buyer(attempts[0]));
    let empty = History::new(ids(), history.item.clone(), 0, 0);
    for tells in [Tells { buyers: true, ..COUNTED }, COUNTED] {
        let buyer = buyer.filter(|_| tells.buyers);
        let records = |n: usize| vec![found(buyer, ""); n];
        let before = read(records(2), tells, &empty);
        history.begin_with(before.clone());
        let after = read(records(3), tells, &history);
        let is_kept = |row: &Row| history.before.contains_key(&row.request_id);
        let kept: Vec<bool> = after.rows.iter().map(is_kept).collect();
        assert_eq!(kept, [true, true, false]);
        assert_eq!(owners(&after)[2].is_some(), tells.buyers);
        assert_eq!(after.rows[..2], before.rows);
    }
}

#[test]
fn attempt_that_was_queued_before_the_run_keeps_its_id_when_it_is_decided() {
    let (mut history, attempts) = history(&[Some(Answered::Accepted)]);
    let buyer = Some(ids().buyer(attempts[0]));
    let tells = Tells { buyers: true, attempts: true, ..COUNTED };
    let queued = Found { status: FoundStatus::Queued, ..found(buyer, "") };
    let empty = History::new(ids(), history.item.clone(), 0, 0);
    history.begin_with(read(vec![queued], tells, &empty));
    let after = read(vec![found(buyer, ""), found(buyer, "")], tells, &history);
    assert!(history.before.contains_key(&after.rows[0].request_id));
    assert_eq!(owners(&after)[1], Some(attempts[0]));
}

#[test]
fn buyers_are_translated() {
    let (history, attempts) = history(&[Some(Answered::Accepted)]);
    let buyer = ids().buyer(attempts[0]);
    let records = ["ann@shop.test", "bob@shop.test"]
        .map(|name| Found { buyer: Some(name.into()), ..Found::default() });
    let sale = read(Vec::new(), COUNTED, &history).sale;
    let translated = |text: &str| text.starts_with("ann").then_some(buyer);
    let tells = Tells { buyers: true, ..COUNTED };
    let ledger = attribute(records.to_vec(), sale, tells, &history, &translated);
    let uids: Vec<&str> = ledger.rows.iter().map(|row| &*row.uid).collect();
    assert_eq!(uids, [&*buyer.to_string(), "bob@shop.test"]);
    assert_eq!(owners(&ledger), [Some(attempts[0]), None]);
}

#[test]
fn rows_are_in_the_order_of_acceptance_if_it_is_told() {
    let (history, _) = history(&[]);
    let at = |seq| Found { seq: Some(seq), accepted_us: Some(seq), ..Found::default() };
    let tells = Tells { positions: true, times: true, ..COUNTED };
    let seqs = |found: Vec<Found>| {
        let rows = read(found, tells, &history).rows;
        rows.iter().map(|row| (row.seq, row.accepted_us)).collect::<Vec<_>>()
    };
    assert_eq!(seqs(vec![at(5), at(2)]), [(2, 2), (5, 5)]);
    let without = Found { seq: None, accepted_us: None, ..at(0) };
    assert_eq!(seqs(vec![at(5), without]), [(0, 0), (1, 0)]);
}
