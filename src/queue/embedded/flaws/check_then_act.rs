//! The flaw `check-then-act`: its race is between consumers that decide on the same item at the
//! same time, as those of a broker do.

use super::super::Delivery;

/// Every consumer gets the next attempt at an item, as from a broker with a prefetch of 1.
pub(super) fn deliver_concurrently(delivery: &mut Delivery) {
    delivery.is_concurrent = true;
}
