use proptest::prelude::*;
use uuid::Uuid;

use crate::api::LostReason;
use crate::ids::{ItemId, OrderId};
use crate::sale::{Attempt, Decision};

use super::super::rows::MemoryRows;
use super::*;

/// Numbers at the ends of their range, near each other, and anywhere.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), Just(1 << 63), 1_000_u64..2_000, any::<u64>()]
}

fn decision(item: ItemId, epoch: u64) -> impl Strategy<Value = Decision> {
    let lost = proptest::sample::select(LostReason::ALL);
    prop_oneof![
        number().prop_map(move |number| Decision::Won(OrderId::new(&item, epoch, number))),
        "[ -~]{0,90}|tea-1-0[0-9]".prop_map(|id| Decision::Won(OrderId::from_text(id))),
        lost.prop_map(Decision::Lost),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:-]{1,64}|[a-z]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
}

fn decided() -> impl Strategy<Value = Decided> {
    let sale = (prop_oneof![Just("tea".to_owned()), name()], prop_oneof![Just(1), number()]);
    sale.prop_flat_map(|(item, epoch)| {
        let item: ItemId = item.parse().unwrap();
        let numbers = [number(), number(), number()];
        let held_until_us = proptest::option::of(number());
        let decision = decision(item.clone(), epoch);
        (any::<u128>(), name(), numbers, held_until_us, decision).prop_map(
            move |(id, buyer, [seq, accepted_us, decided_us], held_until_us, decision)| {
                let request_id = RequestId(Uuid::from_u128(id));
                let (buyer, item) = (buyer.parse().unwrap(), item.clone());
                let attempt = Attempt { request_id, buyer, item, epoch, seq, accepted_us };
                Decided { attempt: Arc::new(attempt), decision, decided_us, held_until_us }
            },
        )
    })
}

proptest! {
    #[test]
    fn decisions_are_read_as_they_were_added(
        all in proptest::collection::vec((decided(), number()), 1..60),
    ) {
        let (mut decisions, mut sale) = (Decisions::default(), OfSale::default());
        for (decided, record) in &all {
            decisions.insert(&mut sale, decided, *record);
        }
        for (decided, record) in &all {
            let logged = decisions.get(&decided.attempt.request_id).unwrap();
            prop_assert_eq!((&*logged.decided, logged.record), (decided, *record));
        }
        let mut expected: Vec<_> = all.iter().map(|(decided, _)| decided).collect();
        expected.sort_by_key(|decided| decided.attempt.seq);
        let rows = MemoryRows::of(decisions.blocks_of(&sale)).next(usize::MAX);
        prop_assert_eq!(rows.iter().map(|row| &**row).collect::<Vec<_>>(), expected);
    }
}

/// The `number`th attempt at a sale, decided.
fn usual(number: u64, epoch: u64) -> Decided {
    let item: ItemId = "tea".parse().unwrap();
    let attempt = Attempt {
        request_id: RequestId(Uuid::from_u128(u128::from(epoch) << 64 | u128::from(number))),
        buyer: format!("buyer-{number:014}").parse().unwrap(),
        item: item.clone(),
        epoch,
        seq: 2 * number,
        accepted_us: 1_800_000_000_000_000 + 20 * number,
    };
    let decided_us = attempt.accepted_us + 3_000;
    let decision = Decision::Won(OrderId::new(&item, epoch, number + 1));
    Decided { attempt: Arc::new(attempt), decision, decided_us, held_until_us: None }
}

fn add(decisions: &mut Decisions, epoch: u64, count: u64) -> OfSale {
    let mut sale = OfSale::default();
    for number in 0..count {
        decisions.insert(&mut sale, &usual(number, epoch), 2 * number + 1);
    }
    sale
}

fn bytes(decisions: &Decisions) -> usize {
    let blocks = decisions.blocks.iter().flatten();
    blocks.map(|block| block.bytes_from(0).len()).sum()
}

#[test]
fn each_of_very_many_is_found_and_takes_few_bytes() {
    let mut decisions = Decisions::default();
    let sales = [1, 2].map(|epoch| add(&mut decisions, epoch, 100_000));
    assert_eq!(decisions.len(), 200_000);
    assert!(bytes(&decisions) < 200_000 * 55, "{}", bytes(&decisions));
    for epoch in [1, 2] {
        for number in (0..100_000).step_by(7) {
            let expected = usual(number, epoch);
            let logged = decisions.get(&expected.attempt.request_id).unwrap();
            assert_eq!((&*logged.decided, logged.record), (&expected, 2 * number + 1));
        }
        assert!(!decisions.has(&usual(100_000, epoch).attempt.request_id));
    }
    assert_eq!(sales[0].newest_record, Some(199_999));
}

#[test]
fn sale_that_leaves_gives_its_memory_back_step_by_step() {
    let mut decisions = Decisions::default();
    let [first, second] = [1, 2].map(|epoch| add(&mut decisions, epoch, 10_000));
    let (before, mut leaving) = (bytes(&decisions), Leaving::from(first));
    let mut steps = 0;
    while !leaving.is_empty() {
        decisions.remove(&mut leaving, 300);
        steps += 1;
        assert!(decisions.len() >= 20_000 - 300 * steps, "no step is too large");
    }
    assert_eq!(steps, 10_000_usize.div_ceil(300));
    assert_eq!((decisions.len(), bytes(&decisions)), (10_000, before / 2));
    assert!(!decisions.has(&usual(1, 1).attempt.request_id));
    assert!(decisions.has(&usual(1, 2).attempt.request_id));
    let blocks = decisions.blocks.len();
    let third = add(&mut decisions, 3, 10_000);
    assert_eq!(decisions.blocks.len(), blocks, "the numbers of the blocks are used again");
    for sale in [second, third] {
        decisions.remove(&mut sale.into(), usize::MAX);
    }
    assert_eq!((decisions.len(), bytes(&decisions)), (0, 0));
}

#[test]
fn ledger_keeps_what_it_began_with() {
    let (mut decisions, mut sale) = (Decisions::default(), OfSale::default());
    for number in 0..3_000 {
        decisions.insert(&mut sale, &usual(number, 1), number);
    }
    let mut rows = MemoryRows::of(decisions.blocks_of(&sale));
    decisions.insert(&mut sale, &usual(3_000, 1), 3_000);
    decisions.remove(&mut sale.into(), usize::MAX);
    assert_eq!(*rows.next(1)[0], usual(0, 1));
    assert_eq!(rows.ids().count(), 2_999);
    let rest = rows.next(usize::MAX);
    assert_eq!(**rest.last().unwrap(), usual(2_999, 1));
}

#[test]
fn last_decision_on_an_attempt_counts() {
    let (mut decisions, mut sale) = (Decisions::default(), OfSale::default());
    let first = usual(1, 1);
    let again = Decided { decided_us: 7, ..first.clone() };
    decisions.insert(&mut sale, &first, 1);
    decisions.insert(&mut sale, &again, 2);
    let logged = decisions.get(&first.attempt.request_id).unwrap();
    assert_eq!((&*logged.decided, logged.record, decisions.len()), (&again, 2, 1));
    assert_eq!(MemoryRows::of(decisions.blocks_of(&sale)).next(9).len(), 2, "a ledger shows both");
    decisions.remove(&mut sale.into(), usize::MAX);
    assert_eq!(decisions.len(), 0);
}
