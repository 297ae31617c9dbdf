//! The flawed ways of using a broker, each in a file of its own, and which step each replaces.

mod connection_per_request;
mod resend_under_new_id;
mod transient_queue;
mod unconfirmed_publish;

use crate::flaws::{Flaw, Flaws};

use super::steps::{Connecting, Sending, Steps};

/// The steps of a queue that has these flaws.
pub(super) fn steps(flaws: &Flaws) -> Steps {
    let mut steps = Steps::default();
    if flaws.has(Flaw::TransientQueue) {
        steps.declaration = transient_queue::declaration;
        steps.properties = transient_queue::properties;
    }
    if flaws.has(Flaw::UnconfirmedPublish) {
        steps.sending = Sending::Replaced(unconfirmed_publish::send);
    }
    if flaws.has(Flaw::ResendUnderNewId) {
        steps.sending = Sending::Replaced(resend_under_new_id::send);
    }
    if flaws.has(Flaw::ConnectionPerRequest) {
        steps.connection = Connecting::Replaced(connection_per_request::publish);
    }
    steps
}
