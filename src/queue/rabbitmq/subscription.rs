//! One consumer: a channel of its own, attached again whenever the broker has come back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::sync::watch;

use crate::sale::{Attempt, Fields};

use super::link::Link;
use super::session::{Session, next};
use super::unacked::{Deliveries, Unacked};

/// Pause after a channel could not be opened, or was closed by the broker.
const ATTACH_AGAIN: Duration = Duration::from_millis(200);

/// What becomes of a message that is no attempt.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undecodable {
    /// It is put among the dead letters.
    Reject,
    /// It stays where it is.
    Keep,
}

/// See the module.
#[derive(Debug)]
pub struct Subscription {
    link: Arc<Link>,
    queue: String,
    prefetch: u16,
    undecodable: Undecodable,
    ending: watch::Receiver<bool>,
    attached: Option<Attached>,
}

#[derive(Debug)]
struct Attached {
    channel: Channel,
    incoming: Consumer,
    deliveries: Deliveries,
}

impl Subscription {
    pub(super) fn new(
        link: Arc<Link>,
        queue: String,
        prefetch: usize,
        undecodable: Undecodable,
        ending: watch::Receiver<bool>,
    ) -> Self {
        let prefetch = u16::try_from(prefetch).unwrap_or(u16::MAX);
        Self { link, queue, prefetch, undecodable, ending, attached: None }
    }

    /// At most half of what is in hand, so that the broker fills the other half up meanwhile.
    pub(crate) async fn next(&mut self, max: usize) -> Option<Unacked> {
        let max = max.min(usize::from(self.prefetch.div_ceil(2)));
        loop {
            if *self.ending.borrow_and_update() {
                return None;
            }
            let mut ending = self.ending.clone();
            tokio::select! {
                held = self.attached_next(max) => match held {
                    Some(held) => return Some(held),
                    None => tokio::time::sleep(ATTACH_AGAIN).await,
                },
                _ = ending.changed() => {}
            }
        }
    }

    /// What the present channel delivers next; `None` when it has ended.
    async fn attached_next(&mut self, max: usize) -> Option<Unacked> {
        if self.attached.is_none() {
            let session = self.link.connected().await;
            match self.attach(&session).await {
                Ok(attached) => self.attached = Some(attached),
                Err(error) => {
                    tracing::warn!(%error, queue = self.queue, "cannot consume, will try again");
                    session.give_up();
                    return None;
                }
            }
        }
        let undecodable = self.undecodable;
        let attached = self.attached.as_mut()?;
        // What this channel had delivered is delivered again once it has ended; and the client says
        // only twice that it has: after that, it would be waited for in vain.
        while attached.take_in(undecodable).await {
            if let Some(held) = attached.deliveries.take(max, &attached.channel) {
                return Some(held);
            }
            match next(Pin::new(&mut attached.incoming)).await {
                Some(Ok(delivery)) => attached.keep(delivery, undecodable).await,
                Some(Err(_)) | None => break,
            }
        }
        self.attached = None;
        None
    }

    async fn attach(&self, session: &Session) -> lapin::Result<Attached> {
        let channel = session.channel().await?;
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        let (queue, tag) = (self.queue.as_str().into(), "".into());
        let options = BasicConsumeOptions::default();
        let incoming = channel.basic_consume(queue, tag, options, FieldTable::default()).await?;
        Ok(Attached { channel, incoming, deliveries: Deliveries::default() })
    }
}

impl Attached {
    /// Takes in what has come already, and says whether more may come.
    async fn take_in(&mut self, undecodable: Undecodable) -> bool {
        loop {
            match self.poll() {
                Poll::Ready(Some(Ok(delivery))) => self.keep(delivery, undecodable).await,
                Poll::Ready(_) => return false,
                Poll::Pending => return true,
            }
        }
    }

    /// What has come already, if anything has.
    fn poll(&mut self) -> Poll<Option<lapin::Result<Delivery>>> {
        Pin::new(&mut self.incoming).poll_next(&mut Context::from_waker(Waker::noop()))
    }

    async fn keep(&mut self, delivery: Delivery, undecodable: Undecodable) {
        let tag = delivery.delivery_tag;
        match (Attempt::from_fields(&mut Fields::new(&delivery.data)), undecodable) {
            (Ok(attempt), _) => self.deliveries.add(attempt, tag),
            (Err(_), Undecodable::Keep) => self.deliveries.leave(tag),
            (Err(_), Undecodable::Reject) => {
                let len = delivery.data.len();
                tracing::error!(len, "a message that is no attempt goes to the dead letters");
                // If this is lost, it comes again.
                let _ = self.channel.basic_reject(tag, BasicRejectOptions::default()).await;
            }
        }
    }
}
