//! `no-dedupe`: what a consumer decided and did not acknowledge before it died is delivered again.

use seckill::audit::{Audit, Invariant};
use seckill::flaws::{Design, Flaw, Flaws};
use seckill::secret::Secret;

use super::assert_found;
use super::client::{Sale, TOKEN, block_on};
use super::support::counter::Counter;
use super::support::engines::Place;

const ATTEMPTS: u64 = 10;

/// How many of them are decided by the consumer that dies.
const DECIDED: usize = 4;

/// Accepts attempts of which some are decided twice, between the store's commit and the ack.
fn decided_twice(place: Place, flaws: &[Flaw]) -> Audit {
    let flaws = Flaws::of(Design::Hardened, flaws);
    let opened = Counter::open_with(place.clone(), |config| {
        *config = place.config(&config.data, &flaws);
        config.admin_token = Some(Secret(TOKEN.into()));
    });
    let mut counter = block_on(opened);
    // Two units for each buyer: else the limit would hide the second order.
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
fn without_dedupe_a_redelivery_is_a_second_order() {
    let Some(place) = Place::real() else { return };
    let audit = decided_twice(place, &[Flaw::NoDedupe]);
    assert_found(&audit, Invariant::RequestIdsUnique);
    assert!(audit.orders > Some(ATTEMPTS), "{audit:#?}");
}

#[test]
fn the_hardened_design_decides_a_redelivery_once() {
    let Some(place) = Place::real() else { return };
    let audit = decided_twice(place, &[]);
    assert_eq!((audit.verdict, audit.orders), (super::Verdict::Pass, Some(ATTEMPTS)), "{audit:#?}");
}
