//! The register in Redis: what is announced, confirmed and withdrawn.

use std::sync::Arc;

use crate::ids::ItemId;
use crate::sale::Attempt;

use super::super::limits::WITHDRAWN_MAX;
use super::super::{RegisterBacklog, StoreError};
use super::bucket::Bucket;
use super::link::Access;
use super::records::attempt;
use super::scripts::SCRIPTS;

impl Bucket {
    pub(super) async fn confirm(&self, attempts: &[Arc<Attempt>]) -> Result<(), StoreError> {
        let ids = attempts.iter().map(|attempt| attempt.request_id.to_string());
        let mut confirm = redis::pipe();
        confirm.cmd("SREM").arg(self.link.key("unconfirmed")).arg(ids.collect::<Vec<_>>()).ignore();
        self.link.send(&confirm, Access::Write).await
    }

    pub(super) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let mut withdraw = SCRIPTS.withdraw.arg(self.link.keys(), attempt.request_id.to_string());
        withdraw.arg(attempt.seq).arg(WITHDRAWN_MAX);
        self.link.run(&withdraw, Access::Write).await
    }

    pub(super) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let unconfirmed = SCRIPTS.unconfirmed.arg(self.link.keys(), before_us);
        let records: Vec<String> = self.link.run(&unconfirmed, Access::Read).await?;
        records.iter().map(|record| Ok(Arc::new(attempt(record)?))).collect()
    }

    pub(super) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        let mut count = redis::cmd("ZCARD");
        self.link.ask(count.arg(self.link.key_of("queued", item))).await
    }

    pub(super) async fn backlog(&self, item: &ItemId) -> Result<RegisterBacklog, StoreError> {
        let mut counts = redis::pipe();
        counts.cmd("ZCARD").arg(self.link.key_of("queued", item));
        counts.cmd("HLEN").arg(self.link.key("waiting")).cmd("HLEN").arg(self.link.key("decided"));
        let (of_item, all, decided) = self.link.send(&counts, Access::Read).await?;
        Ok(RegisterBacklog { of_item, all, decided })
    }

    pub(super) async fn position(
        &self,
        attempt: &Attempt,
    ) -> Result<(Option<usize>, u64), StoreError> {
        let mut rank = redis::pipe();
        let id = attempt.request_id.to_string();
        rank.cmd("ZRANK").arg(self.link.key_of("queued", &attempt.item)).arg(id);
        rank.cmd("HLEN").arg(self.link.key("decided"));
        self.link.send(&rank, Access::Read).await
    }
    /// How many attempts at the same item are before this one of another bucket, and how many were
    /// ever decided here.
    pub(super) async fn before(&self, attempt: &Attempt) -> Result<(usize, u64), StoreError> {
        let mut count = redis::pipe();
        count.cmd("ZCOUNT").arg(self.link.key_of("queued", &attempt.item));
        count.arg("-inf").arg(format!("({}", attempt.seq));
        count.cmd("HLEN").arg(self.link.key("decided"));
        self.link.send(&count, Access::Read).await
    }
}
