//! The register and the orders of all buckets.

use std::collections::HashMap;
use std::sync::Arc;

use crate::api::OrderStatus;
use crate::ids::{ItemId, RequestId};
use crate::sale::{Attempt, Ending, Order};

use super::super::super::orders::OrderRef;
use super::super::super::{Decided, RegisterBacklog, RegisterScan, StoreError};
use super::super::bucket::Bucket;
use super::Buckets;
use super::claims::Claim;
use super::join::try_join_all;

impl Buckets {
    pub(in super::super) async fn confirm(
        &self,
        attempts: &[Arc<Attempt>],
    ) -> Result<(), StoreError> {
        let homes = self.by_home(attempts);
        let confirmed = try_join_all(homes.iter().map(async |(home, places)| {
            let some: Vec<_> = places.iter().map(|at| Arc::clone(&attempts[*at])).collect();
            self.all[*home].confirm(&some).await
        }));
        confirmed.await.map(drop)
    }

    pub(in super::super) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        self.home_of(attempt).withdraw(attempt).await
    }

    pub(in super::super) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let all = try_join_all(self.all.iter().map(|bucket| bucket.unconfirmed(before_us)));
        self.claimed(all.await?.concat()).await
    }

    pub(in super::super) async fn overdue(
        &self,
        scan: &mut RegisterScan,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut overdue = Vec::new();
        for bucket in &self.all {
            overdue.extend(bucket.overdue(scan, before_us).await?);
        }
        overdue.sort_by_key(|attempt| attempt.accepted_us);
        self.claimed(overdue).await
    }

    /// Those of the attempts that may be published, since their ids are claimed for them. The
    /// process that has announced them may have failed before it did that.
    async fn claimed(&self, attempts: Vec<Arc<Attempt>>) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let is_claimed = try_join_all(attempts.iter().map(async |attempt| {
            let (id, home) = (&attempt.request_id, self.home(&attempt.buyer));
            let claim = self.claims(id).claim(id, Claim::of(attempt, home), None).await?;
            if claim.bucket != home {
                self.disown(home, Some(attempt)).await?;
            }
            Ok::<_, StoreError>(claim.bucket == home)
        }));
        let is_claimed = is_claimed.await?;
        Ok(attempts.into_iter().zip(is_claimed).filter_map(|(a, ours)| ours.then_some(a)).collect())
    }

    pub(in super::super) async fn waiting(
        &self,
        epoch: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let all = try_join_all(self.all.iter().map(|bucket| bucket.waiting(epoch))).await?;
        // Of two with the same id, the later one is about to be refused.
        let mut by_id: HashMap<RequestId, Arc<Attempt>> = HashMap::new();
        let mut attempts = all.concat();
        attempts.sort_unstable_by_key(|attempt| attempt.seq);
        for attempt in attempts {
            by_id.entry(attempt.request_id).or_insert(attempt);
        }
        let mut attempts: Vec<_> = by_id.into_values().collect();
        attempts.sort_unstable_by_key(|attempt| attempt.seq);
        Ok(attempts)
    }

    pub(in super::super) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        let counts = try_join_all(self.all.iter().map(|bucket| bucket.waiting_count(item)));
        Ok(counts.await?.into_iter().sum())
    }

    pub(in super::super) async fn backlog(
        &self,
        item: &ItemId,
    ) -> Result<RegisterBacklog, StoreError> {
        let all = try_join_all(self.all.iter().map(|bucket| bucket.backlog(item))).await?;
        let empty = RegisterBacklog { of_item: 0, all: 0, decided: 0 };
        Ok(all.into_iter().fold(empty, |sum, one| RegisterBacklog {
            of_item: sum.of_item + one.of_item,
            all: sum.all + one.all,
            decided: sum.decided + one.decided,
        }))
    }

    pub(in super::super) async fn position(
        &self,
        attempt: &Attempt,
    ) -> Result<(Option<usize>, u64), StoreError> {
        let (rank, mut decided) = self.home_of(attempt).position(attempt).await?;
        let home = self.home(&attempt.buyer);
        let others = self.all.iter().enumerate().filter(|(number, _)| *number != home);
        let before = try_join_all(others.map(|(_, bucket)| bucket.before(attempt))).await?;
        decided += before.iter().map(|(_, decided)| decided).sum::<u64>();
        Ok((rank.map(|rank| rank + before.iter().map(|(count, _)| count).sum::<usize>()), decided))
    }

    pub(in super::super) async fn end_order(
        &self,
        order: &OrderRef,
        ending: Ending,
        now_us: u64,
    ) -> Result<Option<OrderStatus>, StoreError> {
        match self.claims(&order.request_id).read(&order.request_id).await? {
            Some(claim) => self.of_claim(claim)?.end_order(order, ending, now_us).await,
            None => Ok(None),
        }
    }

    pub(in super::super) async fn expire_due(
        &self,
        now_us: u64,
        max: usize,
    ) -> Result<usize, StoreError> {
        let due =
            try_join_all(self.all.iter().map(|bucket| bucket.expire_due(now_us, max))).await?;
        Ok(due.into_iter().sum::<usize>().min(max))
    }

    pub(in super::super) async fn order(
        &self,
        decided: &Decided,
    ) -> Result<Option<Order>, StoreError> {
        self.home_of(&decided.attempt).order(decided).await
    }

    pub(in super::super) async fn check(&self) -> Result<(), StoreError> {
        try_join_all(self.all.iter().map(Bucket::check)).await.map(drop)
    }

    fn home_of(&self, attempt: &Attempt) -> &Bucket {
        &self.all[self.home(&attempt.buyer)]
    }
}
