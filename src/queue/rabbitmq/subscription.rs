//! One consumer: a channel of its own, reopened whenever the broker is reachable again.

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
use super::options::Options;
use super::session::{Session, next};
use super::topology::Declaration;
use super::unacked::{Deliveries, Unacked};

/// Pause after a channel could not be opened, or was closed by the broker.
const REATTACH_PAUSE: Duration = Duration::from_millis(200);

/// What is done with a message that cannot be decoded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undecodable {
    /// It is rejected, and so becomes a dead letter.
    Reject,
    /// It stays unacked in its queue.
    Keep,
}

/// What is consumed, and how.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) queue: String,
    /// How the queue is declared: it may have been deleted while it was consumed.
    pub(super) declaration: fn(&Options) -> Declaration,
    pub(super) prefetch: usize,
    pub(super) undecodable: Undecodable,
}

/// A consumer's subscription to one queue.
#[derive(Debug)]
pub struct Subscription {
    link: Arc<Link>,
    options: Arc<Options>,
    source: Source,
    prefetch: u16,
    ending: watch::Receiver<bool>,
    attached: Option<Attached>,
    /// Whether the last attempt to attach failed: only the first failure is logged.
    failing: bool,
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
        options: Arc<Options>,
        source: Source,
        ending: watch::Receiver<bool>,
    ) -> Self {
        let prefetch = u16::try_from(source.prefetch).unwrap_or(u16::MAX);
        Self { link, options, source, prefetch, ending, attached: None, failing: false }
    }

    /// The next batch. It has at most half of the prefetch, so that the broker can deliver the
    /// other half meanwhile.
    pub(crate) async fn next(&mut self, max: usize) -> Option<Unacked> {
        let max = max.min(usize::from(self.prefetch.div_ceil(2)));
        loop {
            if *self.ending.borrow_and_update() {
                return None;
            }
            let mut ending = self.ending.clone();
            tokio::select! {
                batch = self.attached_next(max) => match batch {
                    Some(batch) => return Some(batch),
                    None => tokio::time::sleep(REATTACH_PAUSE).await,
                },
                _ = ending.changed() => {}
            }
        }
    }

    /// The next batch from the current channel; `None` when the channel has ended.
    async fn attached_next(&mut self, max: usize) -> Option<Unacked> {
        if self.attached.is_none() {
            let session = self.link.connected().await;
            match self.attach(&session).await {
                Ok(attached) => {
                    self.attached = Some(attached);
                    self.failing = false;
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        let queue = &self.source.queue;
                        tracing::warn!(%error, queue, "cannot consume, will retry");
                    }
                    return None;
                }
            }
        }
        let undecodable = self.source.undecodable;
        let attached = self.attached.as_mut()?;
        // When the channel has ended, its unacked deliveries are delivered again. The client
        // reports the end only twice; waiting for a third report would never return.
        while attached.receive_ready(undecodable).await {
            if let Some(batch) = attached.deliveries.take(max, &attached.channel) {
                return Some(batch);
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
        // Opening a channel fails only if the connection is unusable.
        let channel = session.channel().await.inspect_err(|_| session.discard())?;
        let Source { queue, declaration, .. } = &self.source;
        declaration(&self.options).declare(&channel, queue).await?;
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        let (queue, tag) = (queue.as_str().into(), "".into());
        let options = BasicConsumeOptions::default();
        let incoming = channel.basic_consume(queue, tag, options, FieldTable::default()).await?;
        Ok(Attached { channel, incoming, deliveries: Deliveries::default() })
    }
}

impl Attached {
    /// Keeps the deliveries that have arrived, and returns whether more may arrive.
    async fn receive_ready(&mut self, undecodable: Undecodable) -> bool {
        loop {
            match self.poll() {
                Poll::Ready(Some(Ok(delivery))) => self.keep(delivery, undecodable).await,
                Poll::Ready(_) => return false,
                Poll::Pending => return true,
            }
        }
    }

    /// The next delivery, if it has arrived.
    fn poll(&mut self) -> Poll<Option<lapin::Result<Delivery>>> {
        Pin::new(&mut self.incoming).poll_next(&mut Context::from_waker(Waker::noop()))
    }

    async fn keep(&mut self, delivery: Delivery, undecodable: Undecodable) {
        let tag = delivery.delivery_tag;
        match (Attempt::from_fields(&mut Fields::new(&delivery.data)), undecodable) {
            (Ok(attempt), _) => self.deliveries.add(attempt, tag),
            (Err(_), Undecodable::Keep) => self.deliveries.add_undecodable(tag),
            (Err(_), Undecodable::Reject) => {
                let len = delivery.data.len();
                tracing::error!(
                    len,
                    "rejected a message that cannot be decoded; it becomes a dead letter"
                );
                // If the rejection is lost, the message is delivered again.
                let _ = self.channel.basic_reject(tag, BasicRejectOptions::default()).await;
            }
        }
    }
}
