//! The register in Redis: what is announced, confirmed and withdrawn.

use std::sync::Arc;

use crate::ids::ItemId;
use crate::sale::{Attempt, NewAttempt};

use super::super::limits::WITHDRAWN_MAX;
use super::super::{Announced, Lookup, RegisterBacklog, StoreError};
use super::Redis;
use super::keys::{key, key_of};
use super::link::Access;
use super::lookups::{Announce, Question};
use super::records::attempt;
use super::scripts::SCRIPTS;

impl Redis {
    pub(in crate::store) async fn announce(
        &self,
        new: &NewAttempt,
    ) -> Result<Announced, StoreError> {
        let NewAttempt { request_id, buyer, item, epoch, accepted_us } = new.clone();
        let announce = Some(Announce { accepted_us, epoch: Some(epoch) });
        let question = Question { request_id, buyer, item: Some(item), announce };
        let Lookup { known, announced, .. } = self.lookups.ask(question).await?;
        let known = known.map(Announced::Known);
        known.or(announced.map(Announced::Fresh)).ok_or(StoreError::Unknown)
    }

    pub(in crate::store) async fn confirm(
        &self,
        attempts: &[Arc<Attempt>],
    ) -> Result<(), StoreError> {
        let ids = attempts.iter().map(|attempt| attempt.request_id.to_string());
        let mut confirm = redis::pipe();
        confirm.cmd("SREM").arg(key("unconfirmed")).arg(ids.collect::<Vec<_>>()).ignore();
        self.link.send(&confirm, Access::Write).await
    }

    pub(in crate::store) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let mut withdraw = SCRIPTS.withdraw.arg(attempt.request_id.to_string());
        withdraw.arg(attempt.seq).arg(WITHDRAWN_MAX);
        let withdrawn = self.link.run(&withdraw, Access::Write).await?;
        if withdrawn {
            self.waiters.wake(&attempt.request_id);
        }
        Ok(withdrawn)
    }

    pub(in crate::store) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let unconfirmed = SCRIPTS.unconfirmed.arg(before_us);
        let records: Vec<String> = self.link.run(&unconfirmed, Access::Read).await?;
        records.iter().map(|record| Ok(Arc::new(attempt(record)?))).collect()
    }

    pub(in crate::store) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        let mut count = redis::cmd("ZCARD");
        self.link.ask(count.arg(key_of("queued", item))).await
    }

    pub(in crate::store) async fn backlog(
        &self,
        item: &ItemId,
    ) -> Result<RegisterBacklog, StoreError> {
        let mut counts = redis::pipe();
        counts.cmd("ZCARD").arg(key_of("queued", item));
        counts.cmd("HLEN").arg(key("waiting")).cmd("HLEN").arg(key("decided"));
        let (of_item, all, decided) = self.link.send(&counts, Access::Read).await?;
        Ok(RegisterBacklog { of_item, all, decided })
    }

    pub(in crate::store) async fn position(
        &self,
        attempt: &Attempt,
    ) -> Result<(Option<usize>, u64), StoreError> {
        let mut rank = redis::pipe();
        let id = attempt.request_id.to_string();
        rank.cmd("ZRANK").arg(key_of("queued", &attempt.item)).arg(id);
        rank.cmd("HLEN").arg(key("decided"));
        self.link.send(&rank, Access::Read).await
    }
}
