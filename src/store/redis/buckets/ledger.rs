//! The ledger of a sale, merged from those of all buckets.

use std::collections::HashMap;

use super::super::super::orders::EndedOrders;
use super::super::super::{SaleView, StoreError};
use super::super::ends::read_ended;
use super::super::ledger::{LedgerRows, Snapshot, rows, snapshot};
use super::super::link::Link;
use super::Buckets;
use super::join::try_join_all;
use super::stock::Stock;

/// Snapshots of a sale of which units seem to be sold twice.
const SNAPSHOTS_MAX: usize = 5;

impl Buckets {
    pub(in super::super) async fn ledger(
        &self,
        epoch: u64,
    ) -> Result<(SaleView, LedgerRows, EndedOrders), StoreError> {
        let (stock, snapshots) = self.snapshots(epoch).await?;
        let (mut all, mut ended) = (Vec::new(), EndedOrders::default());
        for (link, (_, len, ends, _)) in self.links.iter().zip(snapshots) {
            all.push(rows(link, epoch, len).await?);
            ended.0.extend(read_ended(link, epoch, ends).await?.0);
        }
        Ok((stock.view(), LedgerRows::merged(all), ended))
    }

    /// A snapshot of each bucket, in which no unit seems to be sold twice.
    async fn snapshots(&self, epoch: u64) -> Result<(Stock, Vec<Snapshot>), StoreError> {
        let mut snapshots = self.snapshot(epoch).await?;
        for _ in 1..SNAPSHOTS_MAX {
            if snapshots.0.left() >= 0 {
                break;
            }
            snapshots = self.snapshot(epoch).await?;
        }
        Ok(snapshots)
    }

    async fn snapshot(&self, epoch: u64) -> Result<(Stock, Vec<Snapshot>), StoreError> {
        let of_each = |link: &'_ Link| {
            let link = link.clone();
            async move { snapshot(&link, epoch).await }
        };
        let snapshots = try_join_all(self.links.iter().map(of_each)).await?;
        let records: Vec<HashMap<_, _>> =
            snapshots.iter().map(|(_, _, _, all)| all.clone()).collect();
        let stock = Stock::read(epoch, &records)?.ok_or(StoreError::UnknownItem)?;
        Ok((stock, snapshots))
    }
}
