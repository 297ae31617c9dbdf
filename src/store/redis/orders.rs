//! Ending the orders of a sale that holds its orders: by one script each.

use crate::api::OrderStatus;
use crate::sale::{Ending, Fields, Order};

use super::super::orders::{EndedOrders, OrderRef};
use super::super::{Decided, StoreError};
use super::bucket::Bucket;
use super::link::Access;
use super::records::{ended, unreadable};

impl Bucket {
    pub(super) async fn end_order(
        &self,
        order: &OrderRef,
        ending: Ending,
        now_us: u64,
    ) -> Result<Option<OrderStatus>, StoreError> {
        let mut end = self.end_orders.one.arg(self.link.keys(), order.request_id.to_string());
        end.arg(order.order_id.as_str()).arg(ending.as_str()).arg(now_us);
        let status: String = self.link.run(&end, Access::Write).await?;
        match (status.as_str(), OrderStatus::from_word(&status)) {
            ("", _) => Ok(None),
            (_, Some(status)) => Ok(Some(status)),
            (_, None) => Err(unreadable("the status of an order", &status)),
        }
    }

    pub(super) async fn expire_due(&self, now_us: u64, max: usize) -> Result<usize, StoreError> {
        let mut due = self.end_orders.due.arg(self.link.keys(), now_us);
        due.arg(max);
        self.link.run(&due, Access::Write).await
    }

    pub(super) async fn order(&self, decided: &Decided) -> Result<Option<Order>, StoreError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.link.key("ended")).arg(decided.attempt.request_id.to_string());
        let record: Option<String> = self.link.ask(&get).await?;
        let mut orders = EndedOrders::default();
        if let Some(record) = record {
            let end = ended(&mut Fields::new(record.as_bytes()), &record)?;
            orders.0.insert(decided.attempt.request_id, end);
        }
        Ok(orders.order_of(decided))
    }
}
