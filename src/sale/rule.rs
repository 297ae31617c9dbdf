//! The rule by which a store decides attempts, chosen once when the store is opened.

use super::{Attempt, Decision, Sale};

/// Decides one attempt; the standard rule is [`Sale::reserve`].
#[derive(Debug, Clone, Copy)]
pub struct Rule(pub(super) fn(&mut Sale, &Attempt) -> Decision);

impl Default for Rule {
    fn default() -> Self {
        Self(Sale::reserve)
    }
}

impl Rule {
    /// Decides one attempt at a sale. The caller ensures that each attempt is passed only once.
    pub fn decide(self, sale: &mut Sale, attempt: &Attempt) -> Decision {
        (self.0)(sale, attempt)
    }
}
