//! Refusals: counted by kind, with the first, the last and a bounded sample of the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AttemptNo;

/// Maximum number of refusals of one kind that are kept beside the first and the last.
pub const SAMPLE_MAX: usize = 1024;

/// What a buyer was told when a request had no effect, whatever words the tested system has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// The request is malformed, or names what does not exist.
    Invalid,
    /// The sale has not opened yet.
    NotOpen,
    /// The sale has closed.
    Closed,
    /// The buyer has as many orders as one may have.
    AlreadyBought,
    /// No unit is left.
    SoldOut,
    /// The id is known with another buyer or item.
    IdReused,
    /// Too many requests.
    RateLimited,
    /// The system cannot take the request at the moment.
    Unavailable,
    /// A reason of the tested shop's own. It promises only that the request had no effect.
    Other,
}

impl Refused {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotOpen => "not open",
            Self::Closed => "closed",
            Self::AlreadyBought => "already bought",
            Self::SoldOut => "sold out",
            Self::IdReused => "id reused",
            Self::RateLimited => "rate limited",
            Self::Unavailable => "unavailable",
            Self::Other => "refused",
        }
    }

    /// Whether it is the answer to the attempt, and not only to one request: the buyer is not asked
    /// to try again.
    pub fn is_final(self) -> bool {
        !self.is_temporary()
    }

    /// Whether the buyer is asked to try again later, and has to be told when.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable)
    }
}

/// One request of an attempt, in microseconds since the beginning of its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestWindow {
    /// The attempt.
    pub attempt: AttemptNo,
    /// Not later than its first byte was sent.
    pub sent_us: u64,
    /// Not earlier than the last byte of its answer was received.
    pub answered_us: u64,
}

/// Requests that were answered alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// How many there were.
    pub count: u64,
    /// The one that was answered first.
    pub first: Option<RequestWindow>,
    /// The one that was sent last.
    pub last: Option<RequestWindow>,
    /// Some of them, spread evenly over each worker's; at most [`SAMPLE_MAX`].
    pub sample: Vec<RequestWindow>,
    /// At least each how many-th of a worker's is in the sample: a power of two, or 0 if there
    /// are none.
    every: u64,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, request: RequestWindow) {
        self.note(request);
        if self.sample.capacity() == 0 {
            // At once, so that no later request of a run allocates.
            self.sample.reserve_exact(SAMPLE_MAX + 1);
        }
        self.every = self.every.max(1);
        if self.count.is_multiple_of(self.every) {
            self.sample.push(request);
            if self.sample.len() > SAMPLE_MAX {
                self.thin();
            }
        }
        self.count += 1;
    }

    /// Adds those of another worker.
    pub fn merge(&mut self, other: Self) {
        [other.first, other.last].into_iter().flatten().for_each(|request| self.note(request));
        self.count += other.count;
        self.every = self.every.max(other.every);
        self.sample.extend(other.sample);
        while self.sample.len() > SAMPLE_MAX {
            self.thin();
        }
    }

    /// All that are kept: the first, the last and the sample.
    pub fn kept(&self) -> impl Iterator<Item = &RequestWindow> {
        self.first.iter().chain(&self.last).chain(&self.sample)
    }

    fn note(&mut self, request: RequestWindow) {
        if self.first.is_none_or(|first| request.answered_us < first.answered_us) {
            self.first = Some(request);
        }
        if self.last.is_none_or(|last| request.sent_us > last.sent_us) {
            self.last = Some(request);
        }
    }

    /// Leaves out every other one of the sample.
    fn thin(&mut self) {
        let mut is_kept = false;
        self.sample.retain(|_| {
            is_kept = !is_kept;
            is_kept
        });
        self.every = self.every.max(1) * 2;
    }
}

/// The refusals of a run, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusals(BTreeMap<Refused, Tally>);

impl Refusals {
    /// Counts one more.
    pub fn add(&mut self, refused: Refused, request: RequestWindow) {
        self.0.entry(refused).or_default().add(request);
    }

    /// Adds those of another worker.
    pub fn merge(&mut self, other: Self) {
        for (refused, tally) in other.0 {
            self.0.entry(refused).or_default().merge(tally);
        }
    }

    /// Those of one kind; `None` if there were none.
    pub fn of(&self, refused: Refused) -> Option<&Tally> {
        self.0.get(&refused)
    }

    /// All kinds that occurred.
    pub fn iter(&self) -> impl Iterator<Item = (Refused, &Tally)> {
        self.0.iter().map(|(refused, tally)| (*refused, tally))
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.values().map(|tally| tally.count).sum()
    }

    pub(super) fn restore(&mut self, refused: Refused, tally: Tally) {
        self.0.insert(refused, tally);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: u64) -> RequestWindow {
        let attempt = AttemptNo { thread: 0, index: number };
        RequestWindow { attempt, sent_us: number, answered_us: number + 5 }
    }

    #[test]
    fn sample_is_bounded_and_spread_evenly() {
        let mut tally = Tally::default();
        (0..100_000).for_each(|number| tally.add(request(number)));
        let of = |request: Option<RequestWindow>| request.map(|request| request.attempt.index);
        assert_eq!(
            (tally.count, of(tally.first), of(tally.last)),
            (100_000, Some(0), Some(99_999))
        );
        assert!((SAMPLE_MAX / 2..=SAMPLE_MAX).contains(&tally.sample.len()));
        let gaps: Vec<u64> =
            tally.sample.windows(2).map(|pair| pair[1].sent_us - pair[0].sent_us).collect();
        assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{gaps:?}");
    }

    #[test]
    fn merged_tally_has_the_first_and_last_of_both() {
        let (mut one, mut other) = (Tally::default(), Tally::default());
        (10..2000).for_each(|number| one.add(request(number)));
        (5..3000).for_each(|number| other.add(request(number)));
        one.merge(other);
        let of = |request: Option<RequestWindow>| request.map(|request| request.attempt.index);
        assert_eq!((one.count, of(one.first), of(one.last)), (1990 + 2995, Some(5), Some(2999)));
        assert!(one.sample.len() <= SAMPLE_MAX && one.every.is_power_of_two());
        let mut whole = Tally::default();
        whole.merge(one.clone());
        assert_eq!(whole, one);
    }
}
