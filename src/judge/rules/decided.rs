//! Decisions: every accepted attempt gets one.

use crate::history::{Standstill, Status};
use crate::judge::facts::Facts;
use crate::judge::invariant::{Invariant, Witnesses};

/// For how long nothing may change while attempts are queued and every part of the tested system
/// works, in microseconds. A slow system decides something in that time.
const STANDSTILL_US: u64 = 5_000_000;

/// The same, if a queue has passed over an attempt.
const PASSED_OVER_US: u64 = 2_000_000;

/// How many attempts that were accepted later may be decided before an attempt: a broker delivers
/// about in order, and some attempts again.
const DISORDER_MAX: usize = 100;

/// Checks that accepted attempts are decided: all of them if nothing was queued when the ledger was
/// read, and otherwise those that stood still.
pub(super) fn accepted_decided(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::AcceptedDecided);
    let stuck = Stuck::of(facts);
    if !facts.is_settled && matches!(stuck, Stuck::Nothing) {
        return broken;
    }
    for made in &facts.accepted {
        // An attempt that is not in the ledger at all breaks `accepted_kept` instead.
        let Some(row) = made.row.filter(|row| row.status == Status::Queued) else { continue };
        let is_lost = match stuck {
            _ if facts.is_settled => true,
            Stuck::Nothing => false,
            Stuck::Below { seq } => row.seq < seq,
            Stuck::Everything => true,
        };
        broken.add_if(is_lost, made.request_id);
    }
    broken
}

/// Which queued attempts will never be decided.
#[derive(Clone, Copy)]
enum Stuck {
    Nothing,
    /// Those at lower positions: many at higher ones were decided.
    Below {
        seq: u64,
    },
    Everything,
}

impl Stuck {
    fn of(facts: &Facts<'_>) -> Self {
        let Some(Standstill { queued, unchanged_us, is_ready: true }) = facts.history.standstill
        else {
            return Self::Nothing;
        };
        let rows = &facts.ledger.rows;
        let still_queued = rows.iter().filter(|row| row.status == Status::Queued).count() as u64;
        // The ledger was read later: if it has fewer of them, something has been decided since.
        if unchanged_us < PASSED_OVER_US || still_queued < queued {
            return Self::Nothing;
        }
        if unchanged_us >= STANDSTILL_US {
            return Self::Everything;
        }
        let decided = rows.iter().filter(|row| row.status != Status::Queued).map(|row| row.seq);
        let mut decided: Vec<u64> = decided.collect();
        if decided.len() <= DISORDER_MAX {
            return Self::Nothing;
        }
        let at = decided.len() - 1 - DISORDER_MAX;
        let (_, seq, _) = decided.select_nth_unstable(at);
        Self::Below { seq: *seq }
    }
}

#[cfg(test)]
mod tests {
    use crate::history::{AttemptNo, Ids, Loss, Standstill, Status};
    use crate::judge::invariant::Invariant;
    use crate::judge::rules::scene::Scene;
    use crate::settings::Buyers;

    fn unsettled(queued: u64, unchanged_us: u64, is_ready: bool) -> Scene {
        let mut scene = Scene::new();
        scene.settled = false;
        (scene.row(3).status, scene.row(3).decided_us) = (Status::Queued, None);
        scene.history.standstill = Some(Standstill { queued, unchanged_us, is_ready });
        scene
    }

    #[test]
    fn accepted_attempt_is_decided_once_nothing_is_queued() {
        let mut scene = unsettled(1, 0, true);
        assert_eq!(scene.broken(), []);
        scene.settled = true;
        assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
    }

    #[test]
    fn queue_that_stands_still_has_lost_attempts() {
        let scene = unsettled(1, 5_000_000, true);
        assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
        assert_eq!(scene.violations()[0].witnesses, [scene.id(3).to_string()]);
    }

    #[test]
    fn slow_or_unwell_server_is_not_accused() {
        assert_eq!(unsettled(1, 4_900_000, true).broken(), []);
        assert_eq!(unsettled(1, 30_000_000, false).broken(), []);
        // Another one was decided before the ledger was read.
        assert_eq!(unsettled(2, 30_000_000, true).broken(), []);
    }

    #[test]
    fn queue_that_passed_over_an_attempt_has_lost_it() {
        let mut scene = unsettled(1, 2_500_000, true);
        for index in 0..150 {
            let mut row = scene.row(4).clone();
            let attempt = AttemptNo { thread: 0, index };
            row.request_id = Ids::new(9, Buyers::New).request_id(attempt);
            (row.seq, row.status) = (100 + index, Status::Lost(Loss::SoldOut));
            scene.history.before.insert(row.request_id, row.clone());
            scene.ledger.rows.push(row);
        }
        assert_eq!(scene.broken(), [Invariant::AcceptedDecided]);
        scene.row(3).seq = 200;
        let row = scene.ledger.rows.remove(3);
        let at = scene.ledger.rows.partition_point(|other| other.seq < row.seq);
        scene.ledger.rows.retain(|other| other.seq != row.seq);
        scene.history.before.retain(|_, before| before.seq != row.seq);
        scene.ledger.rows.insert(at, row);
        assert_eq!(scene.broken(), [], "only 49 later ones were decided");
    }
}
