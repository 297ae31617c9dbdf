//! The register in Redis: what is announced, confirmed and withdrawn.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ids::ItemId;
use crate::sale::{Attempt, NewAttempt};

use super::super::limits::WITHDRAWN_MAX;
use super::super::{Announced, StoreError};
use super::Redis;
use super::keys::Keys;
use super::link::Access;
use super::records::{attempt, known};
use super::scripts::SCRIPTS;

/// Attempts that Redis reads in one call, during which it runs no other command.
const SCAN_COUNT: usize = 1_000;

impl Redis {
    pub(in crate::store) async fn announce(
        &self,
        new: &NewAttempt,
    ) -> Result<Announced, StoreError> {
        let NewAttempt { request_id, buyer, item, epoch, accepted_us } = new;
        let mut announce = SCRIPTS.announce.key(Keys::of(item).prefix);
        announce.arg(request_id.to_string());
        announce.arg(format!("{request_id} {buyer} {item} {epoch}")).arg(*accepted_us);
        let (state, record): (String, String) = self.link.run(&announce, Access::Write).await?;
        match known(&state, &record)? {
            Some(known) => Ok(Announced::Known(known)),
            None => Ok(Announced::Fresh(Arc::new(attempt(&record)?))),
        }
    }

    pub(in crate::store) async fn confirm(
        &self,
        attempts: &[Arc<Attempt>],
    ) -> Result<(), StoreError> {
        let mut confirm = redis::pipe();
        for of_item in attempts.chunk_by(|a, b| a.item == b.item) {
            let ids = of_item.iter().map(|attempt| attempt.request_id.to_string());
            let key = Keys::of(&of_item[0].item).unconfirmed();
            confirm.cmd("SREM").arg(key).arg(ids.collect::<Vec<_>>()).ignore();
        }
        self.link.send(&confirm, Access::Write).await
    }

    pub(in crate::store) async fn withdraw(&self, attempt: &Attempt) -> Result<bool, StoreError> {
        let mut withdraw = SCRIPTS.withdraw.key(Keys::of(&attempt.item).prefix);
        withdraw.arg(attempt.request_id.to_string()).arg(attempt.seq).arg(WITHDRAWN_MAX);
        let withdrawn = self.link.run(&withdraw, Access::Write).await?;
        if withdrawn {
            self.waiters.wake(&attempt.request_id);
        }
        Ok(withdrawn)
    }

    pub(in crate::store) async fn waiting(
        &self,
        epoch: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let Some(item) = self.link.item_of(epoch).await? else { return Ok(Vec::new()) };
        let mut attempts = self.waiting_of(&item).await?;
        attempts.retain(|attempt| attempt.epoch == epoch);
        attempts.sort_by_key(|attempt| attempt.seq);
        Ok(attempts)
    }

    pub(in crate::store) async fn unconfirmed(
        &self,
        before_us: u64,
    ) -> Result<Vec<Arc<Attempt>>, StoreError> {
        let mut attempts = Vec::new();
        for item in self.link.items().await? {
            let mut unconfirmed = SCRIPTS.unconfirmed.key(Keys::of(&item).prefix);
            unconfirmed.arg(before_us);
            let records: Vec<String> = self.link.run(&unconfirmed, Access::Read).await?;
            for record in &records {
                attempts.push(Arc::new(attempt(record)?));
            }
        }
        Ok(attempts)
    }

    async fn waiting_of(&self, item: &ItemId) -> Result<Vec<Arc<Attempt>>, StoreError> {
        // A scan may return an attempt twice. It returns all that are there from its beginning to
        // its end.
        let mut attempts = HashMap::new();
        let (mut cursor, key) = (0, Keys::of(item).waiting());
        loop {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(&key).arg(cursor).arg("COUNT").arg(SCAN_COUNT);
            let (next, fields): (u64, Vec<(String, String)>) = self.link.ask(&scan).await?;
            for (_, record) in &fields {
                let attempt = attempt(record)?;
                attempts.insert(attempt.request_id, Arc::new(attempt));
            }
            if next == 0 {
                return Ok(attempts.into_values().collect());
            }
            cursor = next;
        }
    }

    pub(in crate::store) async fn waiting_count(&self, item: &ItemId) -> Result<usize, StoreError> {
        let mut len = redis::cmd("HLEN");
        len.arg(Keys::of(item).waiting());
        self.link.ask(&len).await
    }
}
