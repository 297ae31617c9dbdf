//! Opening a sale in all buckets. The first one gives it its epoch, and says which sale of an item
//! is the current one. Before that, the sale is prepared in every bucket, where nobody sees it;
//! after that it becomes the current one of the others. If this process fails in between, another
//! one goes on.

use crate::ids::ItemId;
use crate::sale::Terms;

use super::super::super::{SaleView, StoreError};
use super::super::link::Access;
use super::Buckets;
use super::join::try_join_all;
use super::shares::{complete, complete_all, share};
use super::stocks::read_whole;

impl Buckets {
    /// Opens a sale: a `fresh` one, or one `unless-open` already.
    pub(in super::super) async fn open_sale(
        &self,
        terms: Terms,
        how: &str,
    ) -> Result<SaleView, StoreError> {
        let (links, first) = (&self.links, &self.links[0]);
        let mut next = redis::pipe();
        next.cmd("INCR").arg(first.key("epochs"));
        let (epoch,): (u64,) = first.send(&next, Access::Write).await?;
        // So far, nobody sees it.
        try_join_all(links.iter().map(|link| share(link, links.len(), epoch, &terms, "prepare")))
            .await?;
        let current = share(first, links.len(), epoch, &terms, how).await?;
        if current != epoch && how != "fresh" {
            // Another process opens one at the same time.
            complete_all(links).await?;
            return self.sale(Some(&terms.item)).await;
        }
        let opened = async {
            complete(links, epoch, &terms).await?;
            Ok(read_whole(links, epoch).await?.view())
        };
        opened.await.map_err(|_: StoreError| StoreError::Unknown)
    }

    pub(in super::super) async fn sale(
        &self,
        item: Option<&ItemId>,
    ) -> Result<SaleView, StoreError> {
        let epoch = self.all[0].sale(item).await?.epoch;
        Ok(read_whole(&self.links, epoch).await?.view())
    }
}
