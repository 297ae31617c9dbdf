//! What waits, and where an attempt is in it, for every combination of queue and store.

use std::time::Duration;

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::{assert_refused, id, within};

use super::everywhere;

#[tokio::test(flavor = "multi_thread")]
async fn queued_attempt_is_told_how_many_are_before_it() {
    everywhere(9, async |mut server| {
        for number in 0..5 {
            server.accept(&format!("ann-{number}"), &id(number)).await;
        }
        let position = async |server: &ManualServer, number: usize| {
            server.result(&id(number)).await.json()["position"].as_u64()
        };
        for number in 0..5 {
            assert_eq!(position(&server, number).await, Some(number as u64));
        }
        server.decide(2, 2).await;
        assert_eq!(position(&server, 1).await, None, "it is decided");
        for number in 2..5 {
            assert_eq!(position(&server, number).await, Some(number as u64 - 2));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn estimate_follows_from_the_decisions_that_were_seen() {
    everywhere(1_000, async |mut server| {
        for number in 0..9 {
            server.accept(&format!("ann-{number}"), &id(number)).await;
        }
        // A rate is known a second after the first decision that was seen, or by the next one.
        let eta_ms = within(async {
            let mut decided = 0;
            loop {
                if let Some(eta_ms) = server.result(&id(8)).await.json()["eta_ms"].as_u64() {
                    return eta_ms;
                }
                if decided < 4 {
                    server.decide(1, 1).await;
                    decided += 1;
                }
            }
        });
        // Four in a second, or fewer on a slow machine, and five are to be decided.
        let eta_ms = eta_ms.await;
        assert!((1..=30_000).contains(&eta_ms), "{eta_ms}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_attempts_wait_than_the_units_that_are_left_allow() {
    for backend in Backend::all() {
        let mut server = ManualServer::open_with(backend, |config| {
            // Of as many units in each of several buckets.
            config.stock = 12;
            config.admission.admit_factor = Some(2);
            config.admission.wait_max = Some(Duration::from_secs(3_600));
        })
        .await;
        for number in 0..24 {
            server.accept(&format!("ann-{number}"), &id(number)).await;
        }
        assert_refused(&server.buy("bob", &id(100)).await, 503, "queue_full");
        assert_eq!(server.result(&id(100)).await.code, 404, "no effect");
        assert_eq!(server.buy("ann-0", &id(0)).await.code, 202, "it is known");
        server.decide(12, 12).await;
        assert_refused(&server.buy("bob", &id(101)).await, 410, "sold_out");
        server.decide(12, 12).await;
        assert_eq!(server.sale().await["queued"], 0);
    }
}
