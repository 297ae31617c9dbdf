//! The broker's confirms do not say what it did with the message.

use std::time::Duration;

use crate::support::amqp_front::{AmqpFront, Confirms};
use crate::support::backend::Backend;
use crate::support::manual_server::ManualServer;
use crate::support::{assert_refused, id, is_waiting, within};

/// How long a publish may take.
const PUBLISH_TIMEOUT: Duration = Duration::from_millis(500);

/// A server whose connections to the broker go through a front.
async fn open(backend: Backend) -> (ManualServer, AmqpFront) {
    let front = AmqpFront::of(backend.queue.as_ref().unwrap()).await;
    let server = ManualServer::open_with(backend, |config| {
        config.stock = 9;
        if let Some(broker) = &mut config.broker {
            broker.url = front.url().parse().unwrap();
            broker.publish_timeout = PUBLISH_TIMEOUT;
        }
    });
    (server.await, front)
}

/// A nack says that the queue is full, or that something failed inside the broker: then the message
/// may be in the queue.
#[tokio::test(flavor = "multi_thread")]
async fn nacked_attempt_whose_message_was_stored_is_refused_and_never_decided() {
    for backend in Backend::all().filter(|backend| backend.queue.is_some()) {
        let (mut server, front) = open(backend).await;
        server.accept("ann", &id(1)).await;
        front.change(Confirms::Negated);
        // It is no overflow, and is not told as one.
        for _ in 0..2 {
            let refused = server.buy("bob", &id(2)).await;
            assert_refused(&refused, 503, "broker_unavailable");
            assert_eq!(server.result(&id(2)).await.code, 404, "no effect");
        }
        front.change(Confirms::Pass);
        // The id has had no effect, so that somebody else may use it.
        server.accept("cat", &id(2)).await;
        server.accept("dan", &id(3)).await;
        assert_eq!(within(server.app.queue.depth()).await, Some(5), "bob's messages were stored");
        let expected = ["ann won tea-1-1", "cat won tea-1-2", "dan won tea-1-3"];
        let decided = server.decide(3, 9).await;
        let buyers: Vec<_> = decided.iter().map(|d| d.attempt.buyer.to_string()).collect();
        assert_eq!(buyers, ["ann", "cat", "dan"]);
        assert_eq!(server.ledger("item=tea").await, expected);
        let sale = server.sale().await;
        assert_eq!((&sale["orders"], &sale["queued"]), (&3.into(), &0.into()));
        server.die();
        let mut next = std::pin::pin!(server.next(1));
        assert!(is_waiting(next.as_mut()).await, "a message is left");
    }
}

/// A quorum queue without a leader loses messages and tells nobody, so that no confirm ever comes.
#[tokio::test(flavor = "multi_thread")]
async fn broker_whose_confirm_never_comes_is_used_again_after_a_reconnect() {
    let Some(backend) = Backend::real() else { return };
    let (mut server, front) = open(backend).await;
    front.change(Confirms::Lost);
    let unknown = server.buy("ann", &id(1)).await;
    assert_eq!((unknown.code, &unknown.json()["reason"]), (500, &"outcome_unknown".into()));
    assert_refused(&server.buy("bob", &id(2)).await, 503, "broker_unavailable");
    assert_eq!(server.result(&id(2)).await.code, 404, "no effect");
    front.change(Confirms::Pass);
    within(async {
        while server.buy("cat", &id(3)).await.code != 202 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    server.accept("dan", &id(4)).await;
    server.decide(3, 9).await;
    let expected = ["ann won tea-1-1", "cat won tea-1-2", "dan won tea-1-3"];
    assert_eq!(server.ledger("item=tea").await, expected);
}
