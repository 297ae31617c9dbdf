//! The scripts that end orders, and reading how those of a sale have ended.

use crate::ids::RequestId;
use crate::sale::Fields;

use super::super::StoreError;
use super::super::orders::EndedOrders;
use super::link::Link;
use super::records::{ended, unreadable};
use super::scripts::{SCRIPTS, Script};

/// Ends of orders per call; Redis runs no other command during a call.
const CHUNK: usize = 1_000;

/// The scripts that end orders, chosen once when the store is opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndOrders {
    pub(super) one: &'static Script,
    pub(super) due: &'static Script,
}

impl Default for EndOrders {
    fn default() -> Self {
        Self { one: &SCRIPTS.end, due: &SCRIPTS.expire }
    }
}

/// Reads the first `len` ends of orders of a sale.
pub(super) async fn read_ended(
    link: &Link,
    epoch: u64,
    len: usize,
) -> Result<EndedOrders, StoreError> {
    let mut orders = EndedOrders::default();
    for begin in (0..len).step_by(CHUNK) {
        let end = (begin + CHUNK).min(len);
        let mut range = redis::cmd("LRANGE");
        range.arg(link.key_of("ends", epoch)).arg(begin).arg(end - 1);
        let records: Vec<String> = link.ask(&range).await?;
        for record in &records {
            let mut fields = Fields::new(record.as_bytes());
            let request_id: RequestId =
                fields.next("request_id").map_err(|_| unreadable("the end of an order", record))?;
            orders.0.insert(request_id, ended(&mut fields, record)?);
        }
    }
    Ok(orders)
}
