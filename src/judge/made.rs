//! [`Made`]: an attempt of the run, with its rows in the ledgers.

use crate::history::{Entry, Row};
use crate::ids::RequestId;

/// An attempt of this run that had an effect, or may have had one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) request_id: RequestId,
    pub(super) entry: &'a Entry,
    /// Its row in the ledger.
    pub(super) row: Option<&'a Row>,
    /// Its row in the ledger before the run: another run with the same ids has made it.
    pub(super) earlier: Option<&'a Row>,
}

impl Made<'_> {
    /// When its requests were sent and answered; `None` if the history does not say, since no
    /// answer arrives at its very beginning.
    pub(super) fn window(&self) -> Option<(u64, u64)> {
        let Entry { sent_us, answered_us, .. } = *self.entry;
        (answered_us > 0).then_some((sent_us, answered_us))
    }

    /// The smallest and the largest offset of the accepting clock, in microseconds, that the
    /// attempt's own times allow in a history that began at `began_us`. `None` if a time is
    /// missing, or the attempt was accepted before the run.
    pub(super) fn offset_us(&self, began_us: i64) -> Option<(i64, i64)> {
        let row = self.row.filter(|_| self.earlier.is_none())?;
        let (sent_us, answered_us) = self.window()?;
        let since = signed(row.accepted_us).saturating_sub(began_us);
        Some((since.saturating_sub(signed(answered_us)), since.saturating_sub(signed(sent_us))))
    }
}

/// As a signed number; what does not fit becomes the largest.
pub(super) fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}
