//! Batches that are acknowledged at the same time.

use std::collections::BTreeSet;

use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::{id, is_waiting, within};

/// Attempts in the queue.
const ATTEMPTS: usize = 500;

/// Batches that are acknowledged at a time.
const AT_ONCE: usize = 16;

// More threads than cores, so that some are interrupted.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn batches_are_acknowledged_at_the_same_time_without_a_redelivery() {
    let Some(backend) = Backend::real() else { return };
    let mut server = ManualServer::open(backend, 1).await;
    let mut buying = tokio::task::JoinSet::new();
    for number in 0..ATTEMPTS {
        let app = std::sync::Arc::clone(&server.app);
        buying.spawn(async move {
            let body = serde_json::json!({"uid": format!("b-{number}"), "request_id": id(number)});
            seckill::server::route(&app, crate::support::post(body.to_string())).await.status()
        });
    }
    let codes = within(buying.join_all()).await;
    assert_eq!(codes, [202; ATTEMPTS]);
    let mut seen = BTreeSet::new();
    while seen.len() < ATTEMPTS {
        let mut batches = Vec::new();
        while batches.len() < AT_ONCE && seen.len() < ATTEMPTS {
            let batch = server.next(1).await;
            for attempt in batch.attempts() {
                assert!(seen.insert(attempt.seq), "{} was delivered again", attempt.seq);
            }
            batches.push(batch);
        }
        let mut acknowledging = tokio::task::JoinSet::new();
        batches.into_iter().for_each(|batch| drop(acknowledging.spawn(batch.ack())));
        within(acknowledging.join_all()).await;
    }
    let mut next = std::pin::pin!(server.next(1));
    assert!(is_waiting(next.as_mut()).await, "a message is left");
}
