//! `no-dedupe`: attempts that a consumer decided but did not ack before it died are redelivered.

use seckill::audit::{Audit, Invariant};
use seckill::design::{Design, Flaw, Flaws};
use seckill::units::Secret;

use super::assert_found;
use crate::support::client::{Sale, TOKEN, block_on};
use crate::support::counter::Counter;
use crate::support::engines::Place;

const ATTEMPTS: u64 = 10;

/// The number of attempts decided by the consumer that dies.
const DECIDED: usize = 4;

/// Accepts attempts of which some are decided twice, because their consumer dies before its ack.
fn decided_twice(place: Place, flaws: &[Flaw]) -> Audit {
    let flaws = Flaws::of(Design::Hardened, flaws);
    let opened = Counter::open_with(place.clone(), |config| {
        *config = place.config(&config.data, &flaws);
        config.admin_token = Some(Secret(TOKEN.into()));
    });
    let mut counter = block_on(opened);
    // The limit is two units per buyer; with one, it would hide the second order.
    let sale = Sale::open_for(&counter.url, "tea", 100, 2);
    let mut history = sale.burst(ATTEMPTS).history;
    block_on(async {
        let batch = counter.next(DECIDED).await;
        let (batch, decided) = counter.commit(batch).await;
        assert!(!decided.is_empty());
        drop(batch);
        counter.die();
        counter.decide(ATTEMPTS as usize, 100).await;
    });
    assert_eq!(sale.status().queued, 0);
    sale.audit(&mut history, true)
}

#[test]
fn no_dedupe_flaw_turns_a_redelivery_into_a_second_order() {
    let Some(place) = Place::real() else { return };
    let audit = decided_twice(place, &[Flaw::NoDedupe]);
    assert_found(&audit, Invariant::RequestIdsUnique);
    assert!(audit.orders > Some(ATTEMPTS), "{audit:#?}");
}

#[test]
fn hardened_design_decides_a_redelivery_once() {
    let Some(place) = Place::real() else { return };
    let audit = decided_twice(place, &[]);
    assert_eq!((audit.verdict, audit.orders), (super::Verdict::Pass, Some(ATTEMPTS)), "{audit:#?}");
}
