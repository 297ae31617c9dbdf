//! The attempts of some buyers, in the order in which a record may be attributed to them.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::history::{Answered, AttemptNo, FoundStatus, History, Status, Tells};

/// What the client knows of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It won, and the order has no id that can be compared.
    Won,
    /// It won another order than any record without an owner.
    WonOther,
    Accepted,
    /// It was accepted, and later said to be queued.
    Waiting,
    Lost,
    /// It may have had an effect.
    Unknown,
    /// Each of its requests was refused.
    Refused,
}

const KINDS: usize = 7;

/// Which attempt an order belongs to, the likeliest owner first, and one that should have none
/// last.
const OF_ORDER: [Known; KINDS] = {
    use Known::{Accepted, Lost, Refused, Unknown, Waiting, Won, WonOther};
    [Won, Accepted, Waiting, Unknown, WonOther, Lost, Refused]
};

/// The same for a loss.
const OF_LOSS: [Known; KINDS] = {
    use Known::{Accepted, Lost, Refused, Unknown, Waiting, Won, WonOther};
    [Lost, Accepted, Waiting, Unknown, Won, WonOther, Refused]
};

/// The same for what is queued; a result may tell of a later decision.
const OF_QUEUED: [Known; KINDS] = {
    use Known::{Accepted, Lost, Refused, Unknown, Waiting, Won, WonOther};
    [Waiting, Accepted, Lost, Won, WonOther, Unknown, Refused]
};

/// The attempts of some buyers that have no record yet.
pub(super) struct Candidates(HashMap<Uuid, [Vec<AttemptNo>; KINDS]>);

impl Candidates {
    /// Goes through all attempts once.
    pub(super) fn of(
        history: &History,
        tells: Tells,
        buyers: &HashSet<Uuid>,
        taken: &HashSet<AttemptNo>,
    ) -> Self {
        let known = known(history, tells);
        let mut of: HashMap<Uuid, [Vec<AttemptNo>; KINDS]> = HashMap::new();
        for (thread, sent) in (0..).zip(&history.sent) {
            // The last ones first, since they are taken from the end.
            for index in (0..*sent).rev() {
                let attempt = AttemptNo { thread, index };
                let buyer = history.ids.buyer(attempt);
                if buyers.contains(&buyer) && !taken.contains(&attempt) {
                    let known = known.get(&attempt).copied().unwrap_or(Known::Refused);
                    of.entry(buyer).or_default()[known as usize].push(attempt);
                }
            }
        }
        Self(of)
    }

    /// The attempt of this buyer that a record belongs to, if one is left.
    pub(super) fn take(&mut self, buyer: Uuid, status: FoundStatus) -> Option<AttemptNo> {
        let attempts = self.0.get_mut(&buyer)?;
        let order = match status {
            FoundStatus::Won => OF_ORDER,
            FoundStatus::Lost(_) => OF_LOSS,
            FoundStatus::Queued => OF_QUEUED,
        };
        order.into_iter().find_map(|known| attempts[known as usize].pop())
    }
}

/// What is known of each attempt that was not refused.
fn known(history: &History, tells: Tells) -> HashMap<AttemptNo, Known> {
    let mut known: HashMap<AttemptNo, Known> = HashMap::new();
    let won = |is_told: bool| if is_told && tells.order_ids { Known::WonOther } else { Known::Won };
    let answers = history.entries.iter().map(|entry| {
        let now = match &entry.answered {
            Answered::Accepted => Known::Accepted,
            Answered::Won(order_id) => won(order_id.is_told()),
            Answered::Lost(_) => Known::Lost,
            Answered::Unknown => Known::Unknown,
        };
        (entry.attempt, now)
    });
    let results = history.results.iter().filter_map(|read| {
        let now = match read.status.as_ref()? {
            Status::Won(order_id) => won(order_id.is_told()),
            Status::Lost(_) => Known::Lost,
            Status::Queued => Known::Waiting,
        };
        Some((history.ids.attempt(&read.request_id)?, now))
    });
    let answers: Vec<_> = answers.collect();
    let has_entry: HashSet<AttemptNo> = answers.iter().map(|(attempt, _)| *attempt).collect();
    let results = results.filter(|(attempt, _)| has_entry.contains(attempt));
    for (attempt, now) in answers.iter().copied().chain(results) {
        let known = known.entry(attempt).or_insert(now);
        if certainty(now) > certainty(*known) {
            *known = now;
        }
    }
    known
}

/// Of several answers about one attempt, the one that says most counts.
fn certainty(known: Known) -> u8 {
    match known {
        Known::Refused | Known::Unknown => 0,
        Known::Accepted => 1,
        Known::Waiting => 2,
        Known::Lost => 3,
        Known::WonOther => 4,
        Known::Won => 5,
    }
}
