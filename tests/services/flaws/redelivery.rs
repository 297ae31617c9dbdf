//! `no-dedupe`: attempts that a consumer decided but did not ack before it died are redelivered.

use seckill::flaws::Flaw;
use seckill::judge::{Audit, Invariant};
use seckill::load::Ran;

use super::assert_found;
use crate::support::backend::Backend;
use crate::support::client::Sale;
use crate::support::flaw_faults::{ATTEMPTS, consumer_dies};

fn decided_twice(backend: Backend, flaw: Option<Flaw>) -> Audit {
    let begin = |url: &str| {
        // The limit is two units per buyer; with one, it would hide the second order.
        let sale = Sale::open_for(url, "tea", 100, 2);
        let ran = sale.burst(ATTEMPTS);
        (sale, ran)
    };
    consumer_dies(backend, flaw, begin, |sale, mut ran: Ran| {
        assert_eq!(sale.status().queued, 0);
        sale.audit(&mut ran.history, true)
    })
}

#[test]
fn no_dedupe_flaw_turns_a_redelivery_into_a_second_order() {
    let Some(backend) = Backend::real() else { return };
    let audit = decided_twice(backend, Some(Flaw::NoDedupe));
    assert_found(&audit, Invariant::RequestIdsUnique);
    assert!(audit.orders > Some(ATTEMPTS), "{audit:#?}");
}

#[test]
fn hardened_design_decides_a_redelivery_once() {
    let Some(backend) = Backend::real() else { return };
    let audit = decided_twice(backend, None);
    assert_eq!((audit.verdict, audit.orders), (super::Verdict::Pass, Some(ATTEMPTS)), "{audit:#?}");
}
