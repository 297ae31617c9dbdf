//! Reasons for refusals, interned: each tested API has its own words, and the path of a request
//! must count them without an allocation.

use std::fmt;
use std::sync::{PoisonError, RwLock};

/// Every word that was interned in this process; the index is the reason.
static WORDS: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

/// Why an attempt was refused, as a small number that stands for the tested API's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(u8);

impl Reason {
    /// Maximum number of different words in one process. Words are never freed, so their number is
    /// bounded.
    pub const COUNT_MAX: usize = 64;

    /// Interns a word. It takes a lock, so it is called once for each word of an API, before a run.
    ///
    /// # Panics
    /// When there are more than [`Self::COUNT_MAX`] different words.
    pub fn intern(word: &str) -> Self {
        let mut words = WORDS.write().unwrap_or_else(PoisonError::into_inner);
        let known = words.iter().position(|known| *known == word);
        let index = known.unwrap_or_else(|| {
            assert!(words.len() < Self::COUNT_MAX, "too many different reasons");
            words.push(String::leak(word.to_owned()));
            words.len() - 1
        });
        Self(index as u8)
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        let words = WORDS.read().unwrap_or_else(PoisonError::into_inner);
        words.get(self.index()).copied().unwrap_or("unknown_reason")
    }

    pub(super) fn index(self) -> usize {
        self.0.into()
    }

    /// Every reason that was interned so far.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let count = WORDS.read().unwrap_or_else(PoisonError::into_inner).len();
        (0..count).map(|index| Self(index as u8))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_interned_once() {
        let (a, b) = (Reason::intern("out_of_tea"), Reason::intern("out_of_milk"));
        assert_ne!(a, b);
        assert_eq!(Reason::intern("out_of_tea"), a);
        assert_eq!((a.as_str(), b.as_str()), ("out_of_tea", "out_of_milk"));
        assert!(Reason::all().any(|reason| reason == a));
    }
}
