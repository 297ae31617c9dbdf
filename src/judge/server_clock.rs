//! [`ServerClock`]: how far the clocks of the tested system can be from the generator's, as far as
//! the times of accepted attempts bound it.

use super::made::{Made, signed};

/// Added to both bounds if one clock explains all rows: a clock is adjusted a little all the time.
const ADJUSTED_US: i64 = 10_000;

/// Added to both bounds if no single clock explains all rows.
const SEVERAL_US: i64 = 1_000_000;

/// The bounds while nothing was accepted: a whole day, for a clock with a wrong time zone.
const UNMEASURED_US: i64 = 24 * 3600 * 1_000_000;

/// Bounds of the offset of the tested system's clocks: what one of them shows, less what the
/// generator's shows at the same moment, in microseconds.
///
/// A system accepts an attempt after its request was sent and before the answer has arrived. So the
/// offset of its clock is between its time of acceptance less the moment of the answer, and that
/// less the moment of sending. One clock satisfies all these intervals. If they have no moment in
/// common, there are several clocks, or one that was set, and the bounds contain all intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServerClock {
    /// The beginning of the history, by the generator's clock, since the Unix epoch.
    began_us: i64,
    /// The smallest and the largest possible offset.
    offset_us: (i64, i64),
    /// How far apart the smallest and the largest offset of any interval are.
    spread_us: i64,
}

impl ServerClock {
    /// The bounds that these attempts give; `None` if the history does not say when it began.
    pub(super) fn bounded_by<'a>(
        began_us: u64,
        accepted: impl Iterator<Item = &'a Made<'a>>,
    ) -> Option<Self> {
        let began_us = Some(signed(began_us)).filter(|us| *us > 0)?;
        let mut bounds: Option<Bounds> = None;
        for (from, to) in accepted.filter_map(|made| made.offset_us(began_us)) {
            let bounds = bounds.get_or_insert(Bounds { common: (from, to), hull: (from, to) });
            bounds.common = (bounds.common.0.max(from), bounds.common.1.min(to));
            bounds.hull = (bounds.hull.0.min(from), bounds.hull.1.max(to));
        }
        let Some(Bounds { common, hull }) = bounds else {
            let offset_us = (-UNMEASURED_US, UNMEASURED_US);
            return Some(Self { began_us, offset_us, spread_us: 2 * UNMEASURED_US });
        };
        let width_us = common.1.saturating_sub(common.0);
        let (bounds, slack) = if width_us >= 0 {
            // A difference of clocks that is smaller than the time of a request remains hidden.
            (common, width_us.saturating_add(ADJUSTED_US))
        } else {
            (hull, SEVERAL_US)
        };
        let offset_us = (bounds.0.saturating_sub(slack), bounds.1.saturating_add(slack));
        Some(Self { began_us, offset_us, spread_us: hull.1.saturating_sub(hull.0) })
    }

    /// The earliest moment of the history at which a clock of the tested system can have shown this
    /// time, given in microseconds since the Unix epoch; 0 for a time before the history.
    pub(super) fn earliest_moment(&self, server_us: u64) -> u64 {
        self.moment(server_us, self.offset_us.1)
    }

    /// The latest moment of the history at which a clock of the tested system can have shown this
    /// time, given in the same way.
    pub(super) fn latest_moment(&self, server_us: u64) -> u64 {
        self.moment(server_us, self.offset_us.0)
    }

    /// How far the clocks of the tested system can be apart, in microseconds.
    pub(super) fn spread_us(&self) -> u64 {
        self.spread_us.unsigned_abs()
    }

    fn moment(&self, server_us: u64, offset_us: i64) -> u64 {
        let since = signed(server_us).saturating_sub(self.began_us);
        u64::try_from(since.saturating_sub(offset_us)).unwrap_or(0)
    }
}

struct Bounds {
    common: (i64, i64),
    hull: (i64, i64),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Answered, AttemptNo, Entry, Loss, Row, Status};
    use crate::ids::RequestId;

    const BEGAN_US: u64 = 1_795_000_000_000_000;

    /// The clock that attempts show, each given by the moments of its request and its answer and by
    /// what the clock of the tested system was ahead when it was accepted in the middle.
    fn clock(attempts: &[(u64, u64, u64)]) -> ServerClock {
        let made = attempts.iter().map(|(sent_us, answered_us, ahead_us)| {
            let attempt = AttemptNo { thread: 0, index: 0 };
            let (sent_us, answered_us) = (*sent_us, *answered_us);
            let answered = Answered::Accepted;
            let entry = Entry { attempt, answered, sent_us, answered_us, refusal: None };
            let row = Row {
                request_id: RequestId::random(),
                uid: "".into(),
                item: "".into(),
                seq: 0,
                accepted_us: BEGAN_US + (sent_us + answered_us) / 2 + ahead_us,
                decided_us: None,
                status: Status::Lost(Loss::Unstated),
                order: None,
            };
            (entry, row)
        });
        let made: Vec<_> = made.collect();
        let made: Vec<Made<'_>> = made
            .iter()
            .map(|(entry, row)| {
                let request_id = row.request_id;
                Made { request_id, entry, row: Some(row), earlier: None }
            })
            .collect();
        ServerClock::bounded_by(BEGAN_US, made.iter()).unwrap()
    }

    #[test]
    fn one_clock_is_bounded_by_the_shortest_request() {
        let clock = clock(&[(0, 1_000_000, 90_000_000), (500, 700, 90_000_000)]);
        let shown_us = BEGAN_US + 90_000_000 + 200_000;
        assert_eq!(clock.earliest_moment(shown_us), 200_000 - 300 - ADJUSTED_US as u64);
        assert_eq!(clock.latest_moment(shown_us), 200_000 + 300 + ADJUSTED_US as u64);
        assert_eq!(clock.earliest_moment(BEGAN_US), 0);
    }

    #[test]
    fn several_clocks_are_bounded_by_all_requests() {
        let clock = clock(&[(1_000, 2_000, 0), (1_000, 2_000, 30_000_000)]);
        assert_eq!(clock.spread_us(), 30_001_000);
        let slack_us = SEVERAL_US as u64 + 500;
        let shown_us = BEGAN_US + 60_000_000;
        assert_eq!(clock.earliest_moment(shown_us), 30_000_000 - slack_us);
        assert_eq!(clock.latest_moment(shown_us), 60_000_000 + slack_us);
    }

    #[test]
    fn clock_is_not_known_without_attempts_or_beginning() {
        let clock = clock(&[]);
        assert_eq!(clock.latest_moment(BEGAN_US), 86_400_000_000, "a day");
        assert_eq!(clock.spread_us(), 2 * 86_400_000_000);
        assert_eq!(ServerClock::bounded_by(0, std::iter::empty()), None);
    }
}
