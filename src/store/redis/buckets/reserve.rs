//! Deciding attempts in the buckets of their buyers, and fetching units for those in whose bucket
//! none is left.
//!
//! Units that arrive are sold in the step in which they arrive, so that two buckets cannot take the
//! same unit from each other for ever: each transfer that its process completes makes an order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::sale::Attempt;

use super::super::super::{Decided, Known, StoreError};
use super::super::link::{Access, Link};
use super::super::records;
use super::super::scripts::SCRIPTS;
use super::Buckets;
use super::claims::Claim;
use super::join::{join_all, try_join_all};
use super::round::{Incoming, Round};

/// Rounds until a batch is given back undecided: in each, a bucket with waiting attempts gets about
/// half of the units of the richest one. The consumer tries again after a pause.
const ROUNDS_MAX: usize = 64;

/// Pause when all units are on their way to other buckets.
const PAUSE: Duration = Duration::from_millis(20);

/// What a bucket has answered about an attempt.
enum Answer {
    Decided(Arc<Decided>),
    /// It was withdrawn, or its id belongs to another buyer's attempt.
    LeftOut,
    /// Its id is to be claimed.
    Unclaimed,
    /// No unit of this sale is in its bucket.
    Dry(u64),
}

impl Buckets {
    /// Decides attempts at one item.
    pub(in super::super) async fn reserve(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Vec<Arc<Decided>>, StoreError> {
        let mut decided: Vec<Option<Arc<Decided>>> = vec![None; attempts.len()];
        let mut homes = self.by_home(attempts);
        let gone = attempts.first().and_then(|first| self.stocks.gone(&first.item));
        let mut rounds: BTreeMap<usize, Round> = BTreeMap::new();
        for number in 0..ROUNDS_MAX {
            // Those that were not claimed have been by then, and stay so.
            let is_claimed = number > 0;
            let calls = homes.iter().map(async |(home, places)| {
                let round = rounds.get(home).copied().unwrap_or_default();
                let round = Round { sold_out: round.sold_out.or(gone), ..round };
                let some: Vec<_> = places.iter().map(|at| Arc::clone(&attempts[*at])).collect();
                decide(&self.all[*home].link, &some, now_us, is_claimed, round).await
            });
            let answers = join_all(calls).await;
            rounds.clear();
            let (mut dry, mut has_claimed) = (BTreeMap::new(), false);
            for ((home, places), answers) in homes.iter_mut().zip(answers) {
                let mut undecided = Vec::new();
                for (at, answer) in places.drain(..).zip(answers?) {
                    match answer {
                        Answer::Decided(found) => decided[at] = Some(found),
                        Answer::LeftOut => {}
                        Answer::Dry(epoch) => {
                            dry.insert(*home, epoch);
                            undecided.push(at);
                        }
                        Answer::Unclaimed => match self.claim(*home, &attempts[at]).await? {
                            Answer::Unclaimed => {
                                has_claimed = true;
                                undecided.push(at);
                            }
                            Answer::Decided(found) => decided[at] = Some(found),
                            _ => {}
                        },
                    }
                }
                *places = undecided;
            }
            homes.retain(|_, places| !places.is_empty());
            if homes.is_empty() {
                return Ok(decided.into_iter().flatten().collect());
            }
            if !self.supply(&dry, &mut rounds).await? && !has_claimed {
                tokio::time::sleep(PAUSE).await;
            }
        }
        // Some of them are decided, and keep their decisions when the batch is tried again.
        Err(StoreError::Unknown)
    }

    /// The places of attempts, by the buckets of their buyers.
    pub(super) fn by_home(&self, attempts: &[Arc<Attempt>]) -> BTreeMap<usize, Vec<usize>> {
        let mut homes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, attempt) in attempts.iter().enumerate() {
            homes.entry(self.home(&attempt.buyer)).or_default().push(at);
        }
        homes
    }

    /// Claims the id of an attempt that was not announced, since its queue has a lookup of its own.
    async fn claim(&self, home: usize, attempt: &Attempt) -> Result<Answer, StoreError> {
        let (id, claims) = (&attempt.request_id, self.claims(&attempt.request_id));
        let mine = Claim { bucket: home, seq: 0 };
        let mut claim = claims.claim(id, mine, None).await?;
        if claim.bucket == home {
            return Ok(Answer::Unclaimed);
        }
        let known = self.of_claim(claim)?.known(id).await?;
        if let Some(Known::Decided(decided)) = known {
            return Ok(Answer::Decided(decided));
        }
        if known.is_none() && claim.is_free() {
            claim = claims.claim(id, mine, Some(claim)).await?;
        }
        if claim.bucket == home {
            return Ok(Answer::Unclaimed);
        }
        tracing::warn!(request_id = %id, "left out an attempt with the id of another one");
        Ok(Answer::LeftOut)
    }

    /// Decides attempts at one item that could not be delivered.
    pub(in super::super) async fn lose_undeliverable(
        &self,
        attempts: &[Arc<Attempt>],
        now_us: u64,
    ) -> Result<Vec<Arc<Decided>>, StoreError> {
        let homes = self.by_home(attempts);
        let lost = try_join_all(homes.iter().map(async |(home, places)| {
            let some: Vec<_> = places.iter().map(|at| Arc::clone(&attempts[*at])).collect();
            self.all[*home].lose_undeliverable(&some, now_us).await
        }));
        Ok(lost.await?.concat())
    }
}

/// Runs a round over attempts at one item in one bucket, whose ids may all be claimed.
async fn decide(
    link: &Link,
    attempts: &[Arc<Attempt>],
    now_us: u64,
    is_claimed: bool,
    round: Round,
) -> Result<Vec<Answer>, StoreError> {
    let mut call = SCRIPTS.reserve_in_bucket.arg(link.keys(), now_us);
    call.arg(u8::from(is_claimed));
    call.arg(round.sold_out.map_or_else(String::new, |epoch| epoch.to_string()));
    match round.incoming {
        Some(Incoming { epoch, from, given }) => call.arg(epoch).arg(from).arg(given),
        None => call.arg("").arg("").arg(""),
    };
    for attempt in attempts {
        call.arg(attempt.to_string());
    }
    let answers: Vec<String> = link.run(&call, Access::Write).await?;
    let each = attempts.iter().zip(&answers);
    each.map(|(attempt, answer)| {
        Ok(match (answer.as_str(), answer.strip_prefix("dry ")) {
            ("", _) => Answer::LeftOut,
            ("unclaimed", _) => Answer::Unclaimed,
            (_, Some(epoch)) => {
                Answer::Dry(epoch.parse().map_err(|_| records::unreadable("an epoch", answer))?)
            }
            _ => Answer::Decided(records::answered(attempt, answer, now_us)?),
        })
    })
    .collect()
}
