//! Publishing: within a time limit, and refused at once while the broker cannot take it.

use std::sync::Arc;

use lapin::{BasicProperties, Channel};

use crate::flaws::Flaw;
use crate::sale::Attempt;

use super::super::PublishError;
use super::circuit::Circuit;
use super::link::Link;
use super::options::Options;
use super::{confirmed, connection_per_request, topology, transient_queue, unconfirmed_publish};

/// See the module.
#[derive(Debug)]
pub(super) struct Publisher {
    options: Arc<Options>,
    link: Arc<Link>,
    circuit: Circuit,
    connections: Connections,
    sending: Sending,
}

/// On which connection a message goes.
#[derive(Debug, Clone, Copy)]
enum Connections {
    /// The process's own.
    Shared,
    /// One for each message: a flaw.
    PerRequest,
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sending {
    /// The broker's confirm.
    Confirmed,
    /// Nothing: a flaw.
    Unconfirmed,
}

impl Publisher {
    pub(super) fn new(options: Arc<Options>, link: Arc<Link>) -> Self {
        let connections = match options.flaws.has(Flaw::ConnectionPerRequest) {
            true => Connections::PerRequest,
            false => Connections::Shared,
        };
        let sending = match options.flaws.has(Flaw::UnconfirmedPublish) {
            true => Sending::Unconfirmed,
            false => Sending::Confirmed,
        };
        Self { options, link, circuit: Circuit::default(), connections, sending }
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
        let message = Message::new(&self.options, attempt);
        if let Connections::PerRequest = self.connections {
            return connection_per_request::publish(&self.options, self.sending, message).await;
        }
        if self.unavailable().is_some() {
            return Err(PublishError::Unavailable);
        }
        let session = self.link.session().ok_or(PublishError::Unavailable)?;
        let sending = self.sending;
        let mut publishing = Box::pin(async move {
            let published = sending.send(session.publish_channel(), message).await;
            if published == Err(PublishError::Unavailable) {
                // The queue is gone, or the channel: a fresh session declares and opens them.
                session.give_up();
            }
            published
        });
        match tokio::time::timeout(self.options.publish_timeout, &mut publishing).await {
            Ok(published) => published,
            Err(_) => {
                let overdue = self.circuit.overdue();
                tokio::spawn(async move {
                    // Its outcome was told already: unknown. Only that there is one counts.
                    let _ = publishing.await;
                    drop(overdue);
                });
                Err(PublishError::Unknown)
            }
        }
    }
}

impl Sending {
    pub(super) async fn send(
        self,
        channel: &Channel,
        message: Message,
    ) -> Result<(), PublishError> {
        match self {
            Self::Confirmed => confirmed::send(channel, &message).await,
            Self::Unconfirmed => unconfirmed_publish::send(channel, &message).await,
        }
    }
}

/// What is sent: an attempt in the words of a log.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) queue: String,
    pub(super) body: String,
    pub(super) properties: BasicProperties,
}

impl Message {
    fn new(options: &Options, attempt: &Attempt) -> Self {
        let id = attempt.request_id.to_string();
        let properties = match options.flaws.has(Flaw::TransientQueue) {
            true => transient_queue::transient(&id),
            false => topology::persistent(&id),
        };
        Self { queue: options.queue.clone(), body: attempt.to_string(), properties }
    }
}
