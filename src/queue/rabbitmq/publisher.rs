//! Publishing: within a time limit, and refused at once while the broker accepts nothing.

use std::sync::Arc;

use crate::sale::Attempt;

use super::super::PublishError;
use super::circuit::Circuit;
use super::fullness::is_full;
use super::link::Link;
use super::message::Message;
use super::options::Options;
use super::session::{PublishChannel, Session};
use super::steps::{Connecting, Steps};

/// Publishes the attempts of this process.
#[derive(Debug)]
pub(super) struct Publisher {
    options: Arc<Options>,
    link: Arc<Link>,
    circuit: Circuit,
    steps: Steps,
}

impl Publisher {
    pub(super) fn new(options: Arc<Options>, link: Arc<Link>, steps: Steps) -> Self {
        Self { options, link, circuit: Circuit::default(), steps }
    }

    /// Why nothing can be published at this moment, if it cannot.
    pub(super) fn unavailable(&self) -> Option<String> {
        match self.link.session() {
            None => Some("the broker cannot be reached".to_owned()),
            Some(session) if session.is_blocked() => {
                Some("the broker is short of memory or disk and blocks publishers".to_owned())
            }
            Some(_) if self.circuit.is_open() => {
                let limit = self.options.publish_timeout;
                Some(format!("the broker has confirmed nothing for over {limit:?}"))
            }
            Some(_) => None,
        }
    }

    pub(super) async fn publish(&self, attempt: &Attempt) -> Result<(), PublishError> {
        let Steps { properties, sending, connection, .. } = self.steps;
        let message = Message {
            queue: self.options.queue.clone(),
            body: attempt.to_string(),
            properties: properties(&attempt.request_id.to_string()),
        };
        if let Connecting::Replaced(publish) = connection {
            return publish(&self.options, sending, message).await;
        }
        if self.unavailable().is_some() {
            return Err(PublishError::Unavailable);
        }
        let session = self.link.session().ok_or(PublishError::Unavailable)?;
        let pass = self.circuit.pass().ok_or(PublishError::Unavailable)?;
        let (publishes, options) = (Arc::clone(&session), Arc::clone(&self.options));
        let mut publishing = Box::pin(async move {
            let channel = publishes.publish_channel().ok_or(PublishError::Unavailable)?;
            let PublishChannel { channel, nacks } = channel;
            let published = sending.send(channel, &message).await;
            match published {
                // The queue or the channel is gone: a new session declares and opens them.
                Err(PublishError::Unavailable) => publishes.discard(),
                Ok(()) => nacks.acked(),
                Err(PublishError::NotTaken) if nacks.nacked() => {
                    tokio::spawn(replace_unless_full(Arc::clone(&publishes), options));
                }
                Err(_) => {}
            }
            if matches!(published, Ok(()) | Err(PublishError::NotTaken)) {
                pass.answered();
            }
            published
        });
        let limit = self.options.publish_timeout;
        tokio::select! {
            biased;
            published = &mut publishing => published,
            // The message is queued when the block ends, unless the connection ends before.
            () = session.blocked() => Err(PublishError::NotTaken),
            () = tokio::time::sleep(limit) => {
                let overdue = self.circuit.overdue();
                tokio::spawn(async move {
                    // The caller has got `Unknown` already; only the end of the publish counts.
                    if tokio::time::timeout(limit, publishing).await.is_err() {
                        tracing::warn!("the broker does not confirm a message, reconnecting");
                        overdue.give_up();
                        session.discard();
                    }
                });
                Err(PublishError::Unknown)
            }
        }
    }
}

/// Replaces a session on which there are only nacks, unless they say that the queue is full.
async fn replace_unless_full(session: Arc<Session>, options: Arc<Options>) {
    let depth = session.depth(&options).await;
    if !depth.is_some_and(|depth| is_full(depth, options.max)) {
        tracing::warn!("the broker takes no message, although its queue is not full, reconnecting");
        session.discard();
    }
}
