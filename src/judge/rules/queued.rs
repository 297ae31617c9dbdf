//! What is queued, as states of the sale and results show it at the same moment.

use crate::history::{Status, View};
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::invariant::Witnesses;

use super::results::truths;

/// Checks that no state shows fewer attempts queued than results did: an attempt is queued from its
/// acceptance on for as long as its result says so.
pub(super) fn queued_agree(facts: &Facts<'_>, broken: &mut Witnesses) {
    let results = facts.history.results.iter().zip(truths(facts));
    let queued = results.filter(|(read, is_true)| **is_true && read.status == Some(Status::Queued));
    let mut until_us: IdMap<u64> = IdMap::default();
    for (read, _) in queued {
        let until_us = until_us.entry(read.request_id).or_default();
        *until_us = read.sent_us.max(*until_us);
    }
    if until_us.is_empty() {
        return;
    }
    let new = facts.accepted.iter().filter(|made| made.earlier.is_none());
    let spans = new.filter_map(|made| {
        let span = (made.window()?.1, *until_us.get(&made.request_id)?);
        (span.0 < span.1).then_some(span)
    });
    let (mut from_us, mut until_us): (Vec<u64>, Vec<u64>) = spans.unzip();
    from_us.sort_unstable();
    until_us.sort_unstable();
    for View { sent_us, answered_us, sale } in facts.views() {
        let begun = from_us.partition_point(|us| us < sent_us);
        // Those that were queued only within the request count as ended, which accuses nobody.
        let ended = until_us.partition_point(|us| us <= answered_us);
        let least = begun.saturating_sub(ended) as u64;
        let (queued, ms) = (sale.queued, sent_us / 1_000);
        broken.add_if(
            queued < least,
            format_args!("{queued} queued at {ms} ms, and results say {least}"),
        );
    }
}
