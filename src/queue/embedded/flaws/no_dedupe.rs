//! The flaw `no-dedupe`: it shows when an attempt is delivered again. A broker does that when an
//! acknowledgement is lost; this queue would do it after a crash only.

use super::super::Delivery;

/// One acknowledgement in so many is lost.
const ONE_IN: u64 = 4;

/// Loses acknowledgements, after which their attempts are delivered again.
pub(super) fn deliver_again(delivery: &mut Delivery) {
    delivery.one_ack_lost_in = Some(ONE_IN);
}
