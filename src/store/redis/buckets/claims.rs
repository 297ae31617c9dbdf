//! Which bucket has the attempt with an id. An id is claimed for a bucket after an attempt with it
//! was announced there, and before it is published or decided: so at most one of all attempts with
//! the same id is ever accepted, whichever buyers they are of.
//!
//! As with lookups, one call asks for all ids that have come while the call before was answered.

use std::fmt;

use tokio::sync::{mpsc, oneshot};

use crate::ids::RequestId;
use crate::sale::Attempt;

use super::super::super::StoreError;
use super::super::link::{Access, Link};
use super::super::scripts::SCRIPTS;

/// Ids in one call, at most.
const CALL_MAX: usize = 64;

/// Ids that wait for a call; further ones wait until there is room.
const WAITING_MAX: usize = 1_024;

/// To which attempt an id belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// The bucket that has the attempt.
    pub(super) bucket: usize,
    /// Its position in the register there; 0 if it has not been in it.
    pub(super) seq: u64,
}

impl Claim {
    /// The claim of an attempt that was announced in a bucket.
    pub(super) fn of(attempt: &Attempt, bucket: usize) -> Self {
        Self { bucket, seq: attempt.seq }
    }

    /// Whether another bucket may put its own in the place of this one, when nothing is known of
    /// the id here: its attempt was announced and is gone, so it was withdrawn.
    pub(super) fn is_free(self) -> bool {
        self.seq > 0
    }

    fn read(text: &str) -> Option<Self> {
        let (bucket, seq) = text.split_once(' ')?;
        Some(Self { bucket: bucket.parse().ok()?, seq: seq.parse().ok()? })
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.bucket, self.seq)
    }
}

/// What is asked about an id.
#[derive(Debug)]
struct Asked {
    request_id: RequestId,
    /// The claim that is made; `None` to only read.
    mine: Option<Claim>,
    /// The claim in whose place it is put; otherwise one of another bucket stays.
    replaced: Option<Claim>,
    answer: oneshot::Sender<Result<Option<Claim>, StoreError>>,
}

/// The way to the calls about the ids of one bucket's index, which end when it is dropped.
#[derive(Debug)]
pub(super) struct Claims(mpsc::Sender<Asked>);

impl Claims {
    pub(super) fn start(link: Link) -> Self {
        let (asked, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(link, waiting));
        Self(asked)
    }

    /// The claim that an id has.
    pub(super) async fn read(&self, request_id: &RequestId) -> Result<Option<Claim>, StoreError> {
        self.ask(request_id, None, None).await
    }

    /// Claims an id, unless another bucket has claimed it before, and returns the claim that it has
    /// then. A claim of another bucket is replaced if it is `replaced`.
    pub(super) async fn claim(
        &self,
        request_id: &RequestId,
        mine: Claim,
        replaced: Option<Claim>,
    ) -> Result<Claim, StoreError> {
        self.ask(request_id, Some(mine), replaced).await?.ok_or(StoreError::Unknown)
    }

    async fn ask(
        &self,
        request_id: &RequestId,
        mine: Option<Claim>,
        replaced: Option<Claim>,
    ) -> Result<Option<Claim>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let asked = Asked { request_id: *request_id, mine, replaced, answer };
        // The task ends only with the runtime.
        self.0.send(asked).await.map_err(|_| StoreError::Unavailable)?;
        match answered.await.unwrap_or(Err(StoreError::Unknown)) {
            Err(_) if mine.is_none() => Err(StoreError::Unavailable),
            answer => answer,
        }
    }
}

async fn run(link: Link, mut waiting: mpsc::Receiver<Asked>) {
    let mut asked = Vec::new();
    while waiting.recv_many(&mut asked, CALL_MAX).await > 0 {
        // What nobody waits for any more is not sent, and so has no effect.
        asked.retain(|asked| !asked.answer.is_closed());
        if !asked.is_empty() {
            call(&link, &mut asked).await;
        }
    }
}

async fn call(link: &Link, asked: &mut Vec<Asked>) {
    let mut claim = SCRIPTS.claim.call(link.keys());
    let text = |claim: Option<Claim>| claim.map_or_else(String::new, |claim| claim.to_string());
    for Asked { request_id, mine, replaced, .. } in asked.iter() {
        claim.arg(request_id.to_string()).arg(text(*mine)).arg(text(*replaced));
    }
    let is_write = asked.iter().any(|asked| asked.mine.is_some());
    let access = if is_write { Access::Write } else { Access::Read };
    let claims: Result<Vec<String>, StoreError> = link.run(&claim, access).await;
    for (at, asked) in asked.drain(..).enumerate() {
        let found = match &claims {
            Ok(claims) => Ok(claims.get(at).and_then(|text| Claim::read(text))),
            Err(error) => Err(error.clone()),
        };
        // Whoever has gone does not need the answer.
        let _ = asked.answer.send(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claim_is_read_as_it_was_written() {
        let claim = Claim { bucket: 63, seq: 1_125_899_906_842_624 };
        assert_eq!(Claim::read(&claim.to_string()), Some(claim));
        for text in ["", "1", "1 ", "x 1", "1 1 1"] {
            assert_eq!(Claim::read(text), None, "{text}");
        }
    }
}
