//! Precedence of the buyers that were refused because too many came.
//!
//! Without it, a buyer who clicks again and again would be refused or accepted at random, and the
//! one who clicks most would win. A buyer that is refused with `queue_full`, or with `rate_limited`
//! by the limit for all, is told when to come back. From then on, for a minute, its attempts are
//! admitted before those of newcomers. Before that time, further clicks do not help: they are put
//! behind those of newcomers, and are told the same time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::ids::BuyerId;

use super::bounded_table::BoundedTable;
use super::retry_after;

/// How long precedence lasts: longer than the longest wait that a client is told.
const LASTS: Duration = Duration::from_secs(60);

/// Who has been refused, for as long as that matters. The buyers are known to this process only;
/// the table is bounded, and forgets those first that were refused longest ago.
#[derive(Debug, Default)]
pub struct Precedence {
    /// From when on each buyer has precedence, in milliseconds since the Unix epoch.
    from_ms: BoundedTable,
    /// When the precedence of the last one ends.
    ends_ms: AtomicU64,
}

/// How an attempt stands among others for which there is not room enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its buyer was not refused before.
    New,
    /// Its buyer was refused, and has come back earlier than it was told: this time is left.
    Early(Duration),
    /// Its buyer was refused and has come back when it was told.
    First,
}

impl Precedence {
    /// How an attempt of this buyer stands at a moment in microseconds since the Unix epoch.
    pub(super) fn standing(&self, buyer: &BuyerId, now_us: u64) -> Standing {
        // As long as nobody is refused, this costs no lock.
        if !self.is_expected(now_us) {
            return Standing::New;
        }
        let key = self.from_ms.key(buyer);
        standing(self.from_ms.shard(key).get(key), now_us / 1_000)
    }

    /// Whether a buyer has precedence, or will have it, that may not have come back yet.
    pub(super) fn is_expected(&self, now_us: u64) -> bool {
        now_us / 1_000 < self.ends_ms.load(Ordering::Relaxed)
    }

    /// How many parts of what can be admitted are kept from an attempt that stands like this. While
    /// buyers have precedence, one part is theirs, and newcomers have another one for themselves
    /// against those that come too early.
    pub(super) fn parts_kept(&self, standing: Standing, now_us: u64) -> u8 {
        match standing {
            _ if !self.is_expected(now_us) => 0,
            Standing::First => 0,
            Standing::New => 1,
            Standing::Early(_) => 2,
        }
    }

    /// Notes that a buyer is refused, for a reason that is expected to last this long, if that is
    /// known. Returns after how many seconds it should come back.
    pub(super) fn refused(&self, buyer: &BuyerId, wait: Option<Duration>, now_us: u64) -> u64 {
        self.refused_for(buyer, retry_after::seconds(wait), now_us / 1_000)
    }

    /// Notes that a buyer is refused until its turn, which is after this time and no other's.
    /// Returns after how many seconds it should come back.
    pub(super) fn refused_until(&self, buyer: &BuyerId, turn: Duration, now_us: u64) -> u64 {
        self.refused_for(buyer, retry_after::whole_seconds(turn), now_us / 1_000)
    }

    /// Notes that an attempt of a buyer was accepted.
    pub(super) fn accepted(&self, buyer: &BuyerId, now_us: u64) {
        if self.is_expected(now_us) {
            let key = self.from_ms.key(buyer);
            self.from_ms.shard(key).remove(key);
        }
    }

    fn refused_for(&self, buyer: &BuyerId, seconds: u64, now_ms: u64) -> u64 {
        let key = self.from_ms.key(buyer);
        let mut shard = self.from_ms.shard(key);
        if let Standing::Early(left) = standing(shard.get(key), now_ms) {
            // What it was told stays so.
            return (left.as_millis() as u64).div_ceil(1_000);
        }
        let from_ms = now_ms + 1_000 * seconds;
        shard.set(key, from_ms);
        self.ends_ms.fetch_max(from_ms + LASTS.as_millis() as u64, Ordering::Relaxed);
        seconds
    }
}

fn standing(from_ms: Option<u64>, now_ms: u64) -> Standing {
    match from_ms {
        // Nobody is told a longer wait: the clock was set back.
        Some(from_ms) if now_ms + LASTS.as_millis() as u64 <= from_ms => Standing::New,
        Some(from_ms) if now_ms < from_ms => {
            Standing::Early(Duration::from_millis(from_ms - now_ms))
        }
        Some(from_ms) if now_ms < from_ms + LASTS.as_millis() as u64 => Standing::First,
        _ => Standing::New,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buyer(name: &str) -> BuyerId {
        name.parse().unwrap()
    }

    fn early(ms: u64) -> Standing {
        Standing::Early(Duration::from_millis(ms))
    }

    #[test]
    fn refused_buyer_has_precedence_when_it_was_told_and_for_a_minute() {
        let (precedence, ann) = (Precedence::default(), buyer("ann"));
        assert_eq!(precedence.refused_for(&ann, 2, 500), 2);
        let standing = |ms: u64| precedence.standing(&ann, 1_000 * ms);
        assert_eq!([500, 2_499].map(standing), [early(2_000), early(1)]);
        assert_eq!([2_500, 62_499].map(standing), [Standing::First; 2]);
        assert_eq!(standing(62_500), Standing::New);
        assert_eq!(precedence.standing(&buyer("bob"), 3_000_000), Standing::New);
        assert!(precedence.is_expected(62_499_000) && !precedence.is_expected(62_500_000));
        let kept = |standing| precedence.parts_kept(standing, 62_499_000);
        assert_eq!([Standing::First, Standing::New, early(1)].map(kept), [0, 1, 2]);
        assert_eq!(precedence.parts_kept(Standing::New, 62_500_000), 0, "nobody is expected");
    }

    #[test]
    fn clicking_earlier_changes_nothing() {
        let (precedence, ann) = (Precedence::default(), buyer("ann"));
        precedence.refused_for(&ann, 5, 0);
        assert_eq!(precedence.refused_for(&ann, 9, 1_500), 4, "what is left of it");
        assert_eq!(precedence.standing(&ann, 5_000_000), Standing::First);
    }

    #[test]
    fn buyer_that_is_refused_again_keeps_its_precedence() {
        let (precedence, ann) = (Precedence::default(), buyer("ann"));
        precedence.refused_for(&ann, 1, 0);
        assert_eq!(precedence.refused_for(&ann, 2, 40_000), 2);
        assert_eq!(precedence.standing(&ann, 41_000_000), early(1_000), "it clicks too early");
        assert_eq!(precedence.refused_for(&ann, 2, 41_500), 1, "what is left of it");
        assert_eq!(precedence.standing(&ann, 42_000_000), Standing::First);
        assert_eq!(precedence.standing(&ann, 101_999_000), Standing::First);
    }

    #[test]
    fn clock_that_is_set_back_makes_nobody_wait_longer() {
        let (precedence, ann) = (Precedence::default(), buyer("ann"));
        let hour_ms = 3_600_000;
        precedence.refused_for(&ann, 5, hour_ms);
        assert_eq!(precedence.standing(&ann, 0), Standing::New);
        assert_eq!(precedence.refused_for(&ann, 5, 0), 5);
    }

    #[test]
    fn accepted_buyer_is_like_any_other() {
        let (precedence, ann) = (Precedence::default(), buyer("ann"));
        precedence.refused(&ann, None, 0);
        assert!(matches!(precedence.standing(&ann, 0), Standing::Early(_)));
        precedence.accepted(&ann, 0);
        assert_eq!(precedence.standing(&ann, 0), Standing::New);
    }
}
