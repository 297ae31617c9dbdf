//! Any payment, for histories that are written and read again.

use proptest::prelude::*;
use proptest::sample::select;
use seckill::history::Payment;
use seckill::ids::RequestId;

use super::PAYMENT_ANSWERS;

prop_compose! {
    pub(super) fn payments()(
        bits in any::<u128>(), answered in select(&PAYMENT_ANSWERS[..]),
        (sent_us, answered_us) in (any::<u64>(), any::<u64>()),
    ) -> Payment {
        let request_id = RequestId(uuid::Uuid::from_u128(bits));
        Payment { request_id, answered, sent_us, answered_us }
    }
}
