//! `no-dedupe`: attempts that a consumer decided but did not ack before it died are redelivered.

use seckill::flaws::{Design, Flaw, Flaws};
use seckill::judge::{Audit, Invariant};
use seckill::secret::Secret;

use super::assert_found;
use crate::support::backend::Backend;
use crate::support::client::{Sale, TOKEN, block_on};
use crate::support::manual_server::ManualServer;

const ATTEMPTS: u64 = 10;

/// The number of attempts decided by the consumer that dies.
const DECIDED: usize = 4;

/// Accepts attempts of which some are decided twice, because their consumer dies before its ack.
fn decided_twice(backend: Backend, flaws: &[Flaw]) -> Audit {
    let flaws = Flaws::of(Design::Hardened, flaws);
    let opened = ManualServer::open_with(backend.clone(), |config| {
        *config = backend.config(&config.data, &flaws);
        config.admin_token = Some(Secret(TOKEN.into()));
    });
    let mut server = block_on(opened);
    // The limit is two units per buyer; with one, it would hide the second order.
    let sale = Sale::open_for(&server.url, "tea", 100, 2);
    let mut history = sale.burst(ATTEMPTS).history;
    block_on(async {
        let batch = server.next(DECIDED).await;
        let (batch, decided) = server.commit(batch).await;
        assert!(!decided.is_empty());
        drop(batch);
        server.die();
        server.decide(ATTEMPTS as usize, 100).await;
    });
    assert_eq!(sale.status().queued, 0);
    sale.audit(&mut history, true)
}

#[test]
fn no_dedupe_flaw_turns_a_redelivery_into_a_second_order() {
    let Some(backend) = Backend::real() else { return };
    let audit = decided_twice(backend, &[Flaw::NoDedupe]);
    assert_found(&audit, Invariant::RequestIdsUnique);
    assert!(audit.orders > Some(ATTEMPTS), "{audit:#?}");
}

#[test]
fn hardened_design_decides_a_redelivery_once() {
    let Some(backend) = Backend::real() else { return };
    let audit = decided_twice(backend, &[]);
    assert_eq!((audit.verdict, audit.orders), (super::Verdict::Pass, Some(ATTEMPTS)), "{audit:#?}");
}
