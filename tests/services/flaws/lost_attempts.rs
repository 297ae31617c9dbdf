//! Flaws that lose accepted attempts: `ack-on-error`, `ack-before-apply`, `transient-queue` and
//! `unconfirmed-publish`.

use lapin::options::QueueDeleteOptions;
use lapin::{Connection, ConnectionProperties};
use reqwest::Method;
use seckill::flaws::Flaw;
use seckill::judge::{Audit, Invariant};
use seckill::lab::Redis;
use seckill::load::Ran;
use seckill::stats::ErrorKind;
use serde_json::json;

use super::{assert_found, count};
use crate::support::backend::Backend;
use crate::support::client::{PLENTY, Sale, ask, block_on, wait_ready};
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::flaw_faults::{ATTEMPTS, broker_killed, store_killed};

/// Audits a run after a consumer, started here, has had time to decide everything.
fn judge(deployment: &Deployment, flaw: Option<Flaw>, sale: &Sale, mut ran: Ran) -> Audit {
    match flaw {
        None => sale.assert_audit_passes(&mut ran.history),
        Some(_) => {
            deployment.wait_until_earlier_are_decided(&sale.url);
            sale.audit(&mut ran.history, true)
        }
    }
}

/// Loads a sale with attempts that are queued.
fn burst(url: &str) -> (Sale, Ran) {
    let sale = Sale::open(url, "tea", PLENTY);
    let ran = sale.burst(ATTEMPTS);
    (sale, ran)
}

fn kill_store_while_queued(backend: &Backend, flaw: Option<Flaw>) -> Audit {
    let mut redis = Redis::start().unwrap();
    let deployment = Deployment::new(backend.with_store(&redis), flaw);
    let judge = |sale: Sale, ran| judge(&deployment, flaw, &sale, ran);
    store_killed(&deployment, &mut redis, burst, judge)
}

#[test]
fn ack_on_error_flaw_loses_attempts_during_a_store_failure() {
    let Some(backend) = Backend::real() else { return };
    let audit = kill_store_while_queued(&backend, Some(Flaw::AckOnError));
    assert_found(&audit, Invariant::AcceptedDecided);
    let audit = kill_store_while_queued(&backend, None);
    assert_eq!((audit.accepted, audit.unresolved), (ATTEMPTS, 0), "{audit:#?}");
}

#[test]
fn ack_before_apply_flaw_loses_attempts_during_a_store_failure() {
    let Some(backend) = Backend::real() else { return };
    let audit = kill_store_while_queued(&backend, Some(Flaw::AckBeforeApply));
    assert_found(&audit, Invariant::AcceptedDecided);
}

fn kill_broker_while_queued(flaw: Option<Flaw>) -> Audit {
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let deployment = Deployment::new(Backend::on(&broker, &redis), flaw);
    let judge = |sale: Sale, ran| judge(&deployment, flaw, &sale, ran);
    broker_killed(&deployment, &mut broker, burst, judge)
}

#[test]
fn transient_queue_flaw_loses_queued_attempts_when_the_broker_is_killed() {
    let Some(_backend) = Backend::real() else { return };
    let audit = kill_broker_while_queued(Some(Flaw::TransientQueue));
    assert_found(&audit, Invariant::AcceptedDecided);
    assert_eq!(audit.unresolved, ATTEMPTS, "{audit:#?}");
    let audit = kill_broker_while_queued(None);
    assert_eq!((audit.accepted, audit.unresolved), (ATTEMPTS, 0), "{audit:#?}");
}

/// Sends more attempts than the queue holds, which is one.
fn overfill_queue(backend: Backend, flaw: Option<Flaw>) -> (Audit, u64, u64) {
    let deployment = Deployment::new(backend, flaw);
    let api = deployment.serve("api", &["--max-queue", "1"]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    let ran = sale.burst(ATTEMPTS);
    let summary = ran.recorder.clone().finish();
    assert_eq!(summary.errors, 0, "{:?}", summary.by_error);
    let (queued, full) = (count(&summary, "queued"), count(&summary, "queue_full"));
    if flaw.is_none() {
        let one_more = json!({"item": sale.item, "uid": "one-more"});
        let answer = ask(Method::POST, &format!("{}/seckill", api.url), Some(one_more));
        assert_eq!(answer.as_ref().map(|(code, _)| *code), Some(503), "{answer:?}");
    }
    let _consumer = deployment.serve("consumer", &["--max-queue", "1"]);
    (judge(&deployment, flaw, &sale, ran), queued, full)
}

#[test]
fn unconfirmed_publish_flaw_loses_attempts_at_a_full_queue() {
    let Some(backend) = Backend::real() else { return };
    let flaw = Some(Flaw::UnconfirmedPublish);
    let (audit, queued, full) = overfill_queue(backend.clone(), flaw);
    assert_eq!((queued, full), (ATTEMPTS, 0), "every attempt is answered 202");
    assert_found(&audit, Invariant::AcceptedDecided);
    let Some(backend) = Backend::real() else { return };
    let (audit, queued, full) = overfill_queue(backend, None);
    assert_eq!(queued + full, ATTEMPTS);
    assert!(full > 0 && audit.accepted == queued, "{full} refused, {audit:#?}");
}

/// Deletes the queue of a running server.
fn delete_queue(backend: &Backend, name: &str) {
    let url = backend.queue.as_ref().unwrap();
    block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
        connection.close(200, "bye".into()).await.unwrap();
    });
}

#[test]
fn unconfirmed_publish_flaw_loses_attempts_without_a_queue() {
    let Some(backend) = Backend::real() else { return };
    let deployment = Deployment::new(backend.clone(), Some(Flaw::UnconfirmedPublish));
    let api = deployment.serve("api", &[]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    delete_queue(&backend, deployment.queue_name());
    let ran = sale.burst(ATTEMPTS);
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
    let _consumer = deployment.serve("consumer", &[]);
    let audit = judge(&deployment, Some(Flaw::UnconfirmedPublish), &sale, ran);
    assert_found(&audit, Invariant::AcceptedDecided);
}

#[test]
fn hardened_design_refuses_without_a_queue_and_declares_it_again() {
    let Some(backend) = Backend::real() else { return };
    let deployment = Deployment::new(backend.clone(), None);
    let api = deployment.serve("api", &[]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    delete_queue(&backend, deployment.queue_name());
    let ran = sale.burst(ATTEMPTS);
    let summary = ran.recorder.clone().finish();
    assert!(count(&summary, "broker_unavailable") > 0, "{:?}", summary.by_outcome);
    // Attempts in flight when the first message was returned may be in a queue or not.
    assert!(
        summary.by_error.iter().all(|(kind, _)| *kind == ErrorKind::Http(500)),
        "{:?}",
        summary.by_error
    );
    wait_ready(&api.url);
    let more = Sale::open(&api.url, "cup", PLENTY);
    let ran_more = more.burst(ATTEMPTS);
    assert_eq!(count(&ran_more.recorder.clone().finish(), "queued"), ATTEMPTS);
    let _consumer = deployment.serve("consumer", &[]);
    judge(&deployment, None, &sale, ran);
    assert_eq!(judge(&deployment, None, &more, ran_more).accepted, ATTEMPTS);
}
