//! Any payment, for histories that are written and read again.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use seckill::history::Payment;
use seckill::ids::{OrderId, RequestId};

use super::PAYMENT_ANSWERS;

prop_compose! {
    pub(super) fn payments()(
        bits in any::<u128>(), answered in select(&PAYMENT_ANSWERS[..]),
        told in option::of(any::<String>()),
        (sent_us, answered_us) in (any::<u64>(), any::<u64>()),
    ) -> Payment {
        let request_id = RequestId(uuid::Uuid::from_u128(bits));
        let told = told.map(|text| Box::new(OrderId::from_text(text)));
        Payment { request_id, answered, told, sent_us, answered_us }
    }
}
