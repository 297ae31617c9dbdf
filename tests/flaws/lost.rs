//! Flaws by which accepted attempts are lost: `ack-on-error`, `transient-queue` and
//! `unconfirmed-publish`.

use lapin::options::QueueDeleteOptions;
use lapin::{Connection, ConnectionProperties};
use reqwest::Method;
use rustix::process::Signal;
use seckill::audit::{Audit, Invariant};
use seckill::flaws::Flaw;
use seckill::lab::Redis;
use seckill::load::Ran;
use serde_json::json;

use super::child::{eventually, signal};
use super::client::{PLENTY, Sale, ask, block_on, wait_ready};
use super::site::{Site, fragile_broker};
use super::support::engines::Place;
use super::{assert_found, count};

const ATTEMPTS: u64 = 30;

/// Judges a run when a consumer, which runs now, has had its chance.
fn judge(site: &Site, flaw: Option<Flaw>, sale: &Sale, mut ran: Ran) -> Audit {
    match flaw {
        None => sale.assert_right(&mut ran.history),
        Some(_) => {
            site.wait_for_all_before(&sale.url);
            sale.audit(&mut ran.history, true)
        }
    }
}

/// Takes Redis away while accepted attempts wait, and brings it back when a consumer has tried.
fn store_goes_away(place: &Place, flaw: Option<Flaw>) -> Audit {
    let mut redis = Redis::start().unwrap();
    let site = Site::new(place.with_store(&redis), flaw);
    let api = site.serve("api", &[]);
    let consumer = site.serve("consumer", &["--log", "warn,seckill::server=debug"]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    signal(consumer.child.id(), Signal::STOP);
    let ran = sale.burst(ATTEMPTS);
    site.wait_confirmed();
    redis.service_mut().kill().unwrap();
    signal(consumer.child.id(), Signal::CONT);
    eventually("the consumer has tried", || {
        let said = consumer.said();
        said.contains("the transaction failed") || said.contains("batch not decided")
    });
    redis.service_mut().restart().unwrap();
    wait_ready(&api.url);
    judge(&site, flaw, &sale, ran)
}

#[test]
fn ack_on_error_loses_what_a_short_failure_of_the_store_left() {
    let Some(place) = Place::real() else { return };
    let audit = store_goes_away(&place, Some(Flaw::AckOnError));
    assert_found(&audit, Invariant::AcceptedDecided);
    let audit = store_goes_away(&place, None);
    assert_eq!((audit.accepted, audit.unresolved), (ATTEMPTS, 0), "{audit:#?}");
}

/// Kills the broker while accepted attempts wait in it, and starts it again.
fn broker_is_killed(flaw: Option<Flaw>) -> Audit {
    let mut broker = fragile_broker();
    let redis = Redis::start().unwrap();
    let site = Site::new(Place::on(&broker, &redis), flaw);
    let api = site.serve("api", &[]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    let ran = sale.burst(ATTEMPTS);
    site.wait_confirmed();
    broker.service_mut().kill().unwrap();
    broker.service_mut().restart().unwrap();
    wait_ready(&api.url);
    let _consumer = site.serve("consumer", &[]);
    judge(&site, flaw, &sale, ran)
}

#[test]
fn a_transient_queue_loses_what_waits_when_the_broker_is_killed() {
    let Some(_place) = Place::real() else { return };
    let audit = broker_is_killed(Some(Flaw::TransientQueue));
    assert_found(&audit, Invariant::AcceptedDecided);
    assert_eq!(audit.unresolved, ATTEMPTS, "{audit:#?}");
    let audit = broker_is_killed(None);
    assert_eq!((audit.accepted, audit.unresolved), (ATTEMPTS, 0), "{audit:#?}");
}

/// Sends more than the queue takes, which is one.
fn queue_is_full(place: Place, flaw: Option<Flaw>) -> (Audit, u64, u64) {
    let site = Site::new(place, flaw);
    let api = site.serve("api", &["--max-queue", "1"]);
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
    let _consumer = site.serve("consumer", &["--max-queue", "1"]);
    (judge(&site, flaw, &sale, ran), queued, full)
}

#[test]
fn unconfirmed_publish_loses_what_the_queue_has_no_room_for() {
    let Some(place) = Place::real() else { return };
    let flaw = Some(Flaw::UnconfirmedPublish);
    let (audit, queued, full) = queue_is_full(place.clone(), flaw);
    assert_eq!((queued, full), (ATTEMPTS, 0), "everybody is told 202");
    assert_found(&audit, Invariant::AcceptedDecided);
    let Some(place) = Place::real() else { return };
    let (audit, queued, full) = queue_is_full(place, None);
    assert_eq!(queued + full, ATTEMPTS);
    assert!(full > 0 && audit.accepted == queued, "{full} refused, {audit:#?}");
}

/// Deletes the queue under a server's feet.
fn delete_queue(place: &Place, name: &str) {
    let url = place.queue.as_ref().unwrap();
    block_on(async {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
        connection.close(200, "bye".into()).await.unwrap();
    });
}

#[test]
fn unconfirmed_publish_loses_what_no_queue_takes() {
    let Some(place) = Place::real() else { return };
    let site = Site::new(place.clone(), Some(Flaw::UnconfirmedPublish));
    let api = site.serve("api", &[]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    delete_queue(&place, site.queue_name());
    let ran = sale.burst(ATTEMPTS);
    assert_eq!(count(&ran.recorder.clone().finish(), "queued"), ATTEMPTS);
    let _consumer = site.serve("consumer", &[]);
    let audit = judge(&site, Some(Flaw::UnconfirmedPublish), &sale, ran);
    assert_found(&audit, Invariant::AcceptedDecided);
}

#[test]
fn the_hardened_design_refuses_what_no_queue_takes_and_makes_a_new_one() {
    let Some(place) = Place::real() else { return };
    let site = Site::new(place.clone(), None);
    let api = site.serve("api", &[]);
    let sale = Sale::open(&api.url, "tea", PLENTY);
    delete_queue(&place, site.queue_name());
    let ran = sale.burst(ATTEMPTS);
    let summary = ran.recorder.clone().finish();
    assert!(count(&summary, "broker_unavailable") > 0, "{:?}", summary.by_outcome);
    // What was under way when the first message came back may be in a queue or not.
    assert!(summary.by_error.iter().all(|(kind, _)| kind == "http_500"), "{:?}", summary.by_error);
    wait_ready(&api.url);
    let more = Sale::open(&api.url, "cup", PLENTY);
    let ran_more = more.burst(ATTEMPTS);
    assert_eq!(count(&ran_more.recorder.clone().finish(), "queued"), ATTEMPTS);
    let _consumer = site.serve("consumer", &[]);
    judge(&site, None, &sale, ran);
    assert_eq!(judge(&site, None, &more, ran_more).accepted, ATTEMPTS);
}
