//! Buyers and request ids as functions of a seed and an attempt's number.
//!
//! The history needs no list of sent attempts: an id can be inverted to its attempt's number, and
//! an attempt that was sent and has no entry was refused.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{BuyerId, RequestId};
use crate::random::{self, Draw};
use crate::settings::Buyers;

/// Bits of an id that hold the number: 24 for the thread, 36 for the loop.
const NUMBER_BITS: u32 = 60;
const LOOP_BITS: u32 = 36;
const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;
const LOOP_MASK: u64 = (1 << LOOP_BITS) - 1;

/// Version 4 (random) and the variant of RFC 9562, at their positions in a UUID.
const UUID_FIXED: u128 = (0x4 << 76) | (0b10 << 62);
const UUID_HIGH_MASK: u64 = 0xffff_ffff_ffff_0fff;

/// The `index`th attempt of a virtual user, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptNo {
    /// The virtual user, from 0; below 2^24.
    pub thread: u32,
    /// The user's attempt, from 0; below 2^36.
    pub index: u64,
}

impl AttemptNo {
    /// Number of virtual users that an id can encode.
    pub(super) const THREADS_MAX: u64 = 1 << (NUMBER_BITS - LOOP_BITS);
    /// Number of attempts of one user that an id can encode.
    pub(super) const INDICES_MAX: u64 = 1 << LOOP_BITS;

    /// Encodes user and index in one number.
    pub fn number(self) -> u64 {
        (u64::from(self.thread) << LOOP_BITS) | (self.index & LOOP_MASK)
    }

    fn from_number(number: u64) -> Self {
        Self { thread: (number >> LOOP_BITS) as u32, index: number & LOOP_MASK }
    }
}

/// Generates a run's ids; the same seed yields the same ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    seed: u64,
    buyers: Buyers,
    /// Whether each request id shows that a load generator has made it, so that the audit of
    /// another run recognises it.
    #[serde(default)]
    marked: bool,
}

impl Ids {
    /// The ids of one run. They depend on both: an id that came back with another buyer would be
    /// another attempt under a known id.
    pub fn new(seed: u64, buyers: Buyers) -> Self {
        let (kind, number, exponent) = match buyers {
            Buyers::New => (0, 0, 0.0),
            Buyers::Thread => (1, 0, 0.0),
            Buyers::Pool(buyers) => (2, buyers, 0.0),
            Buyers::Skewed { buyers, skew } => (3, buyers, skew.exponent()),
        };
        let mix = |seed, part| random::bits(seed, Draw::Buyers, part);
        let seed = mix(mix(mix(seed, kind), number), f64::to_bits(exponent));
        Self { seed, buyers, marked: true }
    }

    /// Ids that do not show that a load generator has made them.
    pub fn unmarked(self) -> Self {
        Self { marked: false, ..self }
    }

    /// The ids of the same run at another sale: an id is decided once, so a fresh sale needs fresh
    /// ids.
    pub fn at_sale(self, epoch: u64) -> Self {
        Self { seed: random::bits(self.seed, Draw::Sale, epoch), ..self }
    }

    /// The attempt's idempotency key.
    pub fn request_id(&self, attempt: AttemptNo) -> RequestId {
        let number = attempt.number();
        let hidden = (number ^ self.bits(Draw::IdMask, 0)) & NUMBER_MASK;
        let tag = self.bits(Draw::IdTag, number) & UUID_HIGH_MASK;
        let id = (u128::from(tag) << 64) | u128::from(hidden) | UUID_FIXED;
        RequestId(Uuid::from_u128(if self.marked { marked(id) } else { id }))
    }

    /// Whether a load generator made this id, in whichever run and with whichever seed. So says one
    /// in four thousand million (2^32) ids of others, too.
    pub fn is_of_any_run(request_id: &RequestId) -> bool {
        let id = request_id.0.as_u128();
        marked(id) == id
    }

    /// The attempt that has this id, if it is one of this run's.
    pub fn attempt(&self, request_id: &RequestId) -> Option<AttemptNo> {
        let hidden = request_id.0.as_u128() as u64 & NUMBER_MASK;
        let attempt = AttemptNo::from_number((hidden ^ self.bits(Draw::IdMask, 0)) & NUMBER_MASK);
        (self.request_id(attempt) == *request_id).then_some(attempt)
    }

    /// The buyer that makes the attempt, as a UUID.
    pub fn buyer(&self, attempt: AttemptNo) -> Uuid {
        self.numbered_buyer(self.buyer_number(attempt))
    }

    /// The buyer with this number, as a UUID.
    pub fn numbered_buyer(&self, number: u64) -> Uuid {
        let high = u128::from(self.bits(Draw::BuyerHigh, number));
        let bits = (high << 64) | u128::from(self.bits(Draw::BuyerLow, number));
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }

    /// The number of the buyer that makes the attempt: below the number of buyers, if that is
    /// limited, or the number of the thread.
    pub fn buyer_number(&self, attempt: AttemptNo) -> u64 {
        match self.buyers {
            Buyers::New => attempt.number(),
            Buyers::Thread => u64::from(attempt.thread),
            Buyers::Pool(buyers) => self.bits(Draw::Buyer, attempt.number()) % buyers,
            Buyers::Skewed { buyers, skew } => {
                let uniform = random::uniform(self.seed, Draw::Buyer, attempt.number());
                zipf(uniform, buyers, skew.exponent())
            }
        }
    }

    /// The buyer that makes the attempt.
    pub fn buyer_id(&self, attempt: AttemptNo) -> BuyerId {
        match self.buyer(attempt).to_string().parse() {
            Ok(buyer) => buyer,
            Err(error) => unreachable!("a UUID has a buyer's characters: {error}"),
        }
    }

    fn bits(&self, draw: Draw, number: u64) -> u64 {
        random::bits(self.seed, draw, number)
    }
}

/// The `uniform` quantile of Zipf's law over the numbers below `n`, of which the `k`th has a share
/// of about 1 / (k + 1)^`exponent`: the inverse of the continuous law on [1, n + 1), rounded down.
fn zipf(uniform: f64, n: u64, exponent: f64) -> u64 {
    let end = n as f64 + 1.0;
    let flat = 1.0 - exponent;
    let rank = if flat.abs() < 1e-6 {
        end.powf(uniform)
    } else {
        (uniform * (end.powf(flat) - 1.0) + 1.0).powf(1.0 / flat)
    };
    (rank as u64).clamp(1, n) - 1
}

/// Replaces the first 32 bits of an id by a function of the others.
fn marked(id: u128) -> u128 {
    let rest = id & (u128::MAX >> 32);
    let mark = random::bits((rest >> 64) as u64, Draw::IdMark, rest as u64) >> 32;
    (u128::from(mark) << 96) | rest
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn request_id_inverts_to_its_attempt() {
        let ids = Ids::new(7, Buyers::New);
        for thread in [0, 1, 349, (1 << 24) - 1] {
            for index in [0, 1, 9, LOOP_MASK] {
                let attempt = AttemptNo { thread, index };
                let id = ids.request_id(attempt);
                assert_eq!(id.0.get_version_num(), 4);
                assert_eq!(ids.attempt(&id), Some(attempt));
                assert!(Ids::is_of_any_run(&id));
                assert_eq!(Ids::new(8, Buyers::New).attempt(&id), None);
            }
        }
        let other = RequestId::random();
        assert_eq!((ids.attempt(&other), Ids::is_of_any_run(&other)), (None, false));
    }

    #[test]
    fn number_of_buyers_follows_the_setting() {
        let buyers = |kind| {
            let ids = Ids::new(7, kind);
            let attempts = (0..20).flat_map(|thread| {
                (0..20).map(move |index| ids.buyer(AttemptNo { thread, index }))
            });
            attempts.collect::<HashSet<_>>().len()
        };
        assert_eq!(buyers(Buyers::New), 400);
        assert_eq!(buyers(Buyers::Thread), 20);
        assert_eq!(buyers(Buyers::Pool(5)), 5);
    }

    #[test]
    fn skewed_buyers_follow_zipf() {
        let shares = |skew: &str| {
            let mut clicks = [0; 100];
            let ids = Ids::new(7, skew.parse().unwrap());
            let Buyers::Skewed { buyers, skew } = ids.buyers else { panic!() };
            for number in 0..100_000 {
                let uniform = random::uniform(7, Draw::Buyer, number);
                clicks[zipf(uniform, buyers, skew.exponent()) as usize] += 1;
            }
            clicks
        };
        // Under the continuous law, the share of the first of 100 is ln 2 / ln 101, that is 15 %.
        let clicks = shares("100:1");
        assert!((14_500..15_500).contains(&clicks[0]), "{clicks:?}");
        assert!(clicks[0] > clicks[9] && clicks[9] > clicks[99] && clicks[99] > 0, "{clicks:?}");
        let flat = shares("100:0.001");
        assert!(flat.iter().all(|clicks| (800..1_200).contains(clicks)), "{flat:?}");
        assert!(shares("100:3")[0] > 70_000);
    }
}
