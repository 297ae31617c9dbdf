//! Which accepted attempts were lost, by the fault that may have lost them.

use std::collections::HashMap;
use std::ops::Range;

use crate::history::{Answered, History, Ledger, Status};

/// For each period, in microseconds since the beginning of the history, the attempts that were
/// accepted in it and are not in the ledger; with `undecided`, also those that are still queued
/// there. `None` if the ledger does not tell of single attempts.
pub fn lost_during(
    history: &History,
    ledger: &Ledger,
    undecided: bool,
    periods: &[Range<u64>],
) -> Option<Vec<u64>> {
    if !ledger.tells.is_everything() {
        return None;
    }
    let known: HashMap<_, _> = ledger.rows.iter().map(|row| (row.request_id, row)).collect();
    let lost = history.entries.iter().filter(|entry| {
        let row = known.get(&history.ids.request_id(entry.attempt));
        entry.answered != Answered::Unknown
            && row.is_none_or(|row| undecided && row.status == Status::Queued)
    });
    let mut counts = vec![0; periods.len()];
    for entry in lost {
        let holds = |period: &Range<u64>| period.contains(&entry.answered_us);
        if let Some(at) = periods.iter().position(holds) {
            counts[at] += 1;
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{AttemptNo, Entry, Hours, Ids, Row, SaleTerms, Status, Tells};
    use crate::settings::Buyers;

    #[test]
    fn accepted_attempts_without_a_decision_count_for_the_period_of_their_answers() {
        let ids = Ids::new(7, Buyers::New);
        let mut history = History::new(ids, "tea".parse().unwrap(), 1, 0);
        let attempt = |index| AttemptNo { thread: 0, index };
        let answers = [
            (10, 20, Answered::Accepted),
            (10, 30, Answered::Accepted),
            (10, 30, Answered::Unknown),
        ];
        for (index, (sent_us, answered_us, answered)) in (0..).zip(answers) {
            let attempt = attempt(index);
            history.entries.push(Entry { attempt, answered, sent_us, answered_us, refusal: None });
        }
        let (item, hours) = ("tea".to_owned(), Hours::default());
        let sale = SaleTerms {
            item,
            epoch: 1,
            stock: 5,
            stock_left: 5,
            per_buyer: 1,
            hold_us: None,
            hours,
        };
        let row = Row {
            request_id: ids.request_id(attempt(0)),
            uid: "ann".into(),
            item: "tea".into(),
            seq: 0,
            accepted_us: 15,
            decided_us: None,
            status: Status::Queued,
            order: None,
        };
        let tells = Tells::EVERYTHING;
        let mut ledger = Ledger { sale, rows: vec![row], is_miscounted: false, tells };
        let periods = [0..20, 20..30, 30..31];
        let lost = |ledger: &Ledger, undecided| lost_during(&history, ledger, undecided, &periods);
        assert_eq!(lost(&ledger, false), Some(vec![0, 0, 1]));
        assert_eq!(lost(&ledger, true), Some(vec![0, 1, 1]), "the queued one, too");
        ledger.rows.clear();
        assert_eq!(lost(&ledger, false), Some(vec![0, 1, 1]));
        ledger.tells.request_ids = false;
        assert_eq!(lost(&ledger, false), None);
    }
}
