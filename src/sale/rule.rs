//! The rule by which a store decides attempts, chosen once when the store is opened.

use crate::ids::RequestId;

use super::{Attempt, Decision, Ended, Ending, Sale};

/// Decides attempts and ends orders; the standard rules are [`Sale::reserve`] and
/// [`Sale::end_order`].
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub(super) decide: fn(&mut Sale, &Attempt) -> Decision,
    pub(super) end: fn(&mut Sale, &RequestId, Ending, u64) -> Option<Ended>,
}

impl Default for Rule {
    fn default() -> Self {
        Self { decide: Sale::reserve, end: Sale::end_order }
    }
}

impl Rule {
    /// Decides one attempt at a sale. The caller ensures that each attempt is passed only once.
    pub fn decide(self, sale: &mut Sale, attempt: &Attempt) -> Decision {
        (self.decide)(sale, attempt)
    }

    /// Ends the order that an attempt won, if it is held.
    pub fn end(
        self,
        sale: &mut Sale,
        request_id: &RequestId,
        ending: Ending,
        now_us: u64,
    ) -> Option<Ended> {
        (self.end)(sale, request_id, ending, now_us)
    }
}
