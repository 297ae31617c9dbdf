//! [`Client`]: what one virtual user sends to the tested system, and how it understands the
//! answers.

use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use crate::history::{PaymentAnswer, Status};
use crate::ids::{OrderId, RequestId};
use crate::stats::ErrorKind;

use super::{
    Phase, Received, ShownOrder, Template, Understood, Unusable, Visit, builtin, described,
};

/// One virtual user's side of the tested API. Requests are built before their moment; those of the
/// built-in API take no allocation.
#[derive(Debug, Clone)]
pub struct Client(Kind);

#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each virtual user, in use all the time"
)]
enum Kind {
    Seckill {
        purchase: Template<2>,
        result: Template<1>,
        request_id: RequestId,
        payments: Arc<builtin::Payments>,
        last_refusal: Box<builtin::LastRefusal>,
        /// What the last result showed of the order.
        shown: ShownOrder,
    },
    Described(Box<described::Client>),
}

impl Client {
    pub(super) fn seckill(
        purchase: Template<2>,
        result: Template<1>,
        payments: builtin::Payments,
    ) -> Self {
        let (request_id, payments) = (RequestId(Uuid::nil()), Arc::new(payments));
        let shown = ShownOrder::default();
        let last_refusal = Box::default();
        Self(Kind::Seckill { purchase, result, request_id, payments, last_refusal, shown })
    }

    pub(super) fn described(client: described::Client) -> Self {
        Self(Kind::Described(Box::new(client)))
    }

    /// Begins an attempt, and builds its purchase unless steps come before it.
    pub fn begin(&mut self, visit: Visit) {
        match &mut self.0 {
            Kind::Seckill { purchase, request_id, .. } => {
                *request_id = visit.request_id;
                purchase.fill([visit.buyer, visit.request_id.0]);
            }
            Kind::Described(client) => client.begin(visit),
        }
    }

    /// The steps of a phase, by number.
    pub fn steps(&self, phase: Phase) -> Range<usize> {
        match &self.0 {
            Kind::Seckill { .. } => 0..0,
            Kind::Described(client) => client.steps(phase),
        }
    }

    /// Builds the request of a step.
    pub fn step(&mut self, step: usize) -> &[u8] {
        match &mut self.0 {
            Kind::Seckill { .. } => &[],
            Kind::Described(client) => client.step(step),
        }
    }

    /// Takes the answer to a step: its cookies, and the values that are extracted.
    ///
    /// # Errors
    /// When its status is none of a success, or a value is not where it should be.
    pub fn take_step(&mut self, step: usize, received: Received<'_>) -> Result<(), ErrorKind> {
        match &mut self.0 {
            Kind::Seckill { .. } => Ok(()),
            Kind::Described(client) => client.take_step(step, received),
        }
    }

    /// What a step has extracted, by name.
    pub fn extracted(&self, step: usize) -> Vec<(String, String)> {
        match &self.0 {
            Kind::Seckill { .. } => Vec::new(),
            Kind::Described(client) => client.extracted(step),
        }
    }

    /// The number of the purchase among the steps of a description.
    pub fn purchase_step(&self) -> usize {
        match &self.0 {
            Kind::Seckill { .. } => 0,
            Kind::Described(client) => client.purchase_step(),
        }
    }

    /// The outcome of a description that the last answer to a purchase had, counted from 0.
    pub fn last_outcome(&self) -> Option<usize> {
        match &self.0 {
            Kind::Seckill { .. } => None,
            Kind::Described(client) => client.last_outcome(),
        }
    }

    /// The beginning of the answer to the last step, if that was no success.
    pub fn beginning(&self) -> Option<String> {
        match &self.0 {
            Kind::Seckill { .. } => None,
            Kind::Described(client) => client.beginning(),
        }
    }

    /// Builds the purchase, if it had to wait for the steps before it.
    pub fn ready(&mut self) {
        if let Kind::Described(client) = &mut self.0 {
            client.ready();
        }
    }

    /// The purchase of the attempt.
    pub fn purchase(&self) -> &[u8] {
        match &self.0 {
            Kind::Seckill { purchase, .. } => purchase.bytes(),
            Kind::Described(client) => client.purchase(),
        }
    }

    /// Interprets an answer to the purchase. With the built-in API it allocates only for a won
    /// order.
    ///
    /// # Errors
    /// When it is not a valid answer of the API: then it is unknown whether the request had an
    /// effect.
    pub fn understand(&mut self, received: Received<'_>) -> Result<Understood, Unusable> {
        match &mut self.0 {
            Kind::Seckill { request_id, last_refusal, .. } => {
                last_refusal.understand(received.status, received.body, *request_id)
            }
            Kind::Described(client) => client.understand(received),
        }
    }

    /// Builds the request for the result of the attempt.
    pub fn result(&mut self) -> &[u8] {
        match &mut self.0 {
            Kind::Seckill { result, request_id, .. } => {
                result.fill([request_id.0]);
                result.bytes()
            }
            Kind::Described(client) => client.result(),
        }
    }

    /// Interprets an answer to the request for the result; `None` when the tested system does not
    /// know the attempt.
    ///
    /// # Errors
    /// When it is not a valid answer of the API: then nothing is known.
    pub fn understand_result(
        &mut self,
        received: Received<'_>,
    ) -> Result<Option<Status>, Unusable> {
        match &mut self.0 {
            Kind::Seckill { request_id, shown, .. } => {
                *shown = ShownOrder::default();
                let (status, body) = (received.status, received.body);
                let (status, order) = builtin::understand_result(status, body, *request_id)?;
                *shown = order;
                Ok(status)
            }
            Kind::Described(client) => client.understand_result(received),
        }
    }

    /// What the last result showed of the attempt's order.
    pub fn shown_order(&self) -> ShownOrder {
        match &self.0 {
            Kind::Seckill { shown, .. } => *shown,
            Kind::Described(_) => ShownOrder::default(),
        }
    }

    /// Builds a payment for an order that an attempt has won; `None` where there are no payments.
    pub fn payment(&self, order_id: &OrderId, request_id: RequestId) -> Option<Vec<u8>> {
        match &self.0 {
            Kind::Seckill { payments, .. } => Some(payments.request(order_id, request_id)),
            Kind::Described(_) => None,
        }
    }

    /// Interprets an answer to a payment for this order of an attempt: what it says, and the order
    /// that it names as paid for, if that is another one.
    ///
    /// # Errors
    /// When it is not a valid answer of the API: then it is unknown whether it had an effect.
    pub fn understand_payment(
        received: Received<'_>,
        order_id: &OrderId,
        request_id: RequestId,
    ) -> Result<(PaymentAnswer, Option<OrderId>), Unusable> {
        builtin::understand_payment(received.status, received.body, order_id, request_id)
    }
}
