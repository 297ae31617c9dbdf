//! Looking attempts up and announcing them, where the buyer, the id and the unit may be in
//! different buckets.

use crate::ids::RequestId;
use crate::sale::{Attempt, Phase};

use super::super::super::{Known, Lookup, SaleView, StoreError};
use super::super::link::Access;
use super::super::lookups::{Announce, Question};
use super::super::scripts::SCRIPTS;
use super::Buckets;
use super::claims::Claim;

impl Buckets {
    /// Looks an attempt up in the bucket of its buyer, and may announce it there.
    pub(in super::super) async fn lookup(&self, question: Question) -> Result<Lookup, StoreError> {
        let home = self.home(&question.buyer);
        let mut found = self.all[home].lookup(question.clone()).await?;
        if found.known.is_none() && found.announced.is_none() {
            found = self.with_whole_stock(home, &question, found).await?;
        }
        let may_have_effect = found.announced.is_some();
        let owned = self.owned(home, &question.request_id, found).await;
        owned.map_err(|error| match error {
            // It may be announced, and would be published later.
            StoreError::Unavailable if may_have_effect => StoreError::Unknown,
            error => error,
        })
    }

    /// Puts the units of all buckets in the place of those of this one. If this one has none and
    /// others have, what was to be announced is announced now: a unit will be fetched for it.
    async fn with_whole_stock(
        &self,
        home: usize,
        question: &Question,
        found: Lookup,
    ) -> Result<Lookup, StoreError> {
        let Ok(SaleView { left, epoch, terms, .. }) = found.sale.clone() else { return Ok(found) };
        let with = |left, mut found: Lookup| {
            found.sale = found.sale.map(|sale| SaleView { left, ..sale });
            Ok(found)
        };
        if left > 0 {
            // All have about as many.
            return with(left.saturating_mul(self.all.len() as i64), found);
        }
        if self.stocks.gone(&terms.item) == Some(epoch) {
            return with(0, found);
        }
        let whole = self.stocks.ask(epoch).await?;
        if whole.is_sold_out {
            return with(0, found);
        }
        let left = whole.stock.left().max(1);
        let is_open = |announce: &Announce| terms.phase(announce.accepted_us) == Phase::Open;
        let announce = question.announce.filter(|announce| announce.epoch.is_none());
        match announce.filter(|announce| is_open(announce) && !found.at_limit) {
            Some(announce) => {
                let announce = Some(Announce { epoch: Some(epoch), ..announce });
                let item = Some(terms.item);
                let question = Question { announce, item, ..question.clone() };
                with(left, self.all[home].lookup(question).await?)
            }
            None => with(left, found),
        }
    }

    /// Checks that no other bucket has an attempt with this id. What was announced is claimed for
    /// this one, before anybody publishes it.
    async fn owned(
        &self,
        home: usize,
        request_id: &RequestId,
        found: Lookup,
    ) -> Result<Lookup, StoreError> {
        let announced = match (&found.known, &found.announced) {
            (_, Some(attempt)) | (Some(Known::Announced(attempt)), _) => Some(attempt.clone()),
            // These were claimed before they were confirmed or decided.
            (Some(Known::Waiting(_) | Known::Decided(_)), None) => return Ok(found),
            (None, None) => None,
        };
        let claims = self.claims(request_id);
        let claim = match &announced {
            Some(attempt) => Some(claims.claim(request_id, Claim::of(attempt, home), None).await?),
            None => claims.read(request_id).await?,
        };
        let Some(other) = claim.filter(|claim| claim.bucket != home) else { return Ok(found) };
        if let Some(known) = self.of_claim(other)?.known(request_id).await? {
            self.disown(home, announced.as_deref()).await?;
            return Ok(Lookup { known: Some(known), announced: None, ..found });
        }
        let is_free = other.is_free();
        match &announced {
            None if is_free => return Ok(found),
            Some(attempt) if is_free => {
                let mine = Claim::of(attempt, home);
                if claims.claim(request_id, mine, Some(other)).await?.bucket == home {
                    return Ok(found);
                }
            }
            _ => {}
        }
        self.disown(home, announced.as_deref()).await?;
        Err(StoreError::Reused)
    }

    /// Removes an attempt from the register that was announced, and whose id is not its own.
    pub(super) async fn disown(
        &self,
        home: usize,
        attempt: Option<&Attempt>,
    ) -> Result<(), StoreError> {
        let Some(attempt) = attempt else { return Ok(()) };
        let link = &self.all[home].link;
        let mut disown = SCRIPTS.disown.arg(link.keys(), attempt.request_id.to_string());
        disown.arg(attempt.seq);
        link.run::<u64>(&disown, Access::Write).await.map(drop)
    }

    /// What is known of an id.
    pub(in super::super) async fn known(
        &self,
        request_id: &RequestId,
    ) -> Result<Option<Known>, StoreError> {
        match self.claims(request_id).read(request_id).await? {
            Some(claim) => self.of_claim(claim)?.known(request_id).await,
            None => Ok(None),
        }
    }
}
