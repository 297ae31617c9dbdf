//! Which of the attempts that were under way during a fault were lost.

use std::collections::HashSet;
use std::ops::Range;

use crate::history::{Answered, History, Ledger};

/// For each period, in microseconds since the beginning of the history, the attempts that had a
/// request in it, were accepted, and are not in the ledger. `None` if the ledger does not tell of
/// single attempts.
pub fn lost_during(history: &History, ledger: &Ledger, periods: &[Range<u64>]) -> Option<Vec<u64>> {
    if !ledger.tells.is_everything() {
        return None;
    }
    let known: HashSet<_> = ledger.rows.iter().map(|row| row.request_id).collect();
    let lost = history.entries.iter().filter(|entry| {
        entry.answered != Answered::Unknown
            && !known.contains(&history.ids.request_id(entry.attempt))
    });
    let mut counts = vec![0; periods.len()];
    for entry in lost {
        let overlaps =
            |period: &Range<u64>| entry.sent_us < period.end && entry.answered_us >= period.start;
        for (count, _) in counts.iter_mut().zip(periods).filter(|(_, period)| overlaps(period)) {
            *count += 1;
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
    fn accepted_attempts_without_a_row_count_for_the_periods_they_touch() {
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
        let periods = [0..10, 0..11, 30..31, 31..40];
        assert_eq!(lost_during(&history, &ledger, &periods), Some(vec![0, 1, 1, 0]));
        ledger.rows.clear();
        assert_eq!(lost_during(&history, &ledger, &periods), Some(vec![0, 2, 1, 0]));
        ledger.tells.request_ids = false;
        assert_eq!(lost_during(&history, &ledger, &periods), None);
    }
}
