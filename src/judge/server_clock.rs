//! [`ServerClock`]: how far the clocks of the tested system can be from the generator's, as far as
//! the times of accepted attempts bound it.

use super::made::{Made, signed};

/// Added to both bounds if one clock explains all rows: a clock is adjusted a little all the time.
const ADJUSTED_US: i64 = 50_000;

/// Added to both bounds if no single clock explains all rows.
const SEVERAL_US: i64 = 1_000_000;

/// The bounds while nothing was accepted: a whole day, for a clock with a wrong time zone.
pub(super) const UNMEASURED_US: i64 = 24 * 3600 * 1_000_000;

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
        let (bounds, slack) =
            if common.0 <= common.1 { (common, ADJUSTED_US) } else { (hull, SEVERAL_US) };
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
