//! One answer for each attempt: once it is known it is not refused, and a decision does not change.

use std::collections::HashSet;

use crate::history::{Answered, Entry, Loss, Refused, RequestWindow, ResultRead, Status};
use crate::ids::OrderId;
use crate::judge::facts::Facts;
use crate::judge::id_map::IdMap;
use crate::judge::invariant::{Invariant, Witnesses};
use crate::judge::made::Made;

use super::kept::kept;

/// Checks that an attempt in the ledger was not refused for good after it had been accepted, and
/// that all decisions that were told of an attempt are the same.
pub(super) fn ids_answered_once(facts: &Facts<'_>) -> Witnesses {
    let mut broken = Witnesses::of(Invariant::IdsAnsweredOnce);
    // Otherwise each request of an attempt is answered for itself.
    if facts.tells.once {
        answers_keep(facts, &mut broken);
        results_keep(facts, &mut broken);
    }
    broken
}

/// Compares the answers to the requests of each attempt.
fn answers_keep(facts: &Facts<'_>, broken: &mut Witnesses) {
    for made in facts.made().filter(|made| was_refused_later(facts, made)) {
        broken.add(format_args!("{}: refused after it was accepted", made.request_id));
    }
    known_refused(facts, broken);
    for (one, other) in &facts.answered_twice {
        if differ(one, other) {
            let id = facts.history.ids.request_id(one.attempt);
            broken.add(format_args!("{id}: answered with two decisions"));
        }
    }
}

/// Requests with one id that are in flight at the same time may be answered differently, so the
/// attempt must have been accepted before the refused request was sent.
fn was_refused_later(facts: &Facts<'_>, made: &Made<'_>) -> bool {
    let (Some(refusal), Some(row)) = (made.entry.refusal.as_deref(), made.row) else {
        return false;
    };
    if refusal.refused == Refused::Other || is_refused_as_lost(facts, made) {
        return false;
    }
    let accepted_us = facts.clock.map(|clock| clock.latest_moment(row.accepted_us));
    refusal.was_accepted
        || made.earlier.is_some()
        || accepted_us.is_some_and(|accepted_us| accepted_us < refusal.request.sent_us)
}

/// Whether the attempt has lost at a described shop: that may answer it, when it is sent again, as
/// it answers one that it refuses.
fn is_refused_as_lost(facts: &Facts<'_>, made: &Made<'_>) -> bool {
    let is_lost = made.row.is_some_and(|row| matches!(row.status, Status::Lost(_)));
    is_lost && !facts.tells.is_everything()
}

/// Attempts of the ledger before the run whose every request was refused, of the refusals that were
/// kept. They have no entry, since they had no effect.
fn known_refused(facts: &Facts<'_>, broken: &mut Witnesses) {
    let history = facts.history;
    if history.before.is_empty() {
        return;
    }
    let tallies = history.refusals.iter().filter(|(refused, _)| refused.is_final());
    let tallies =
        tallies.filter(|(refused, _)| !matches!(refused, Refused::Invalid | Refused::Other));
    let ids = tallies.flat_map(|(_, tally)| kept(tally));
    let mut ids: Vec<_> = ids.map(|request| history.ids.request_id(request.attempt)).collect();
    ids.sort_unstable();
    ids.dedup();
    let has_entry: HashSet<_> =
        facts.made().filter(|made| made.earlier.is_some()).map(|made| made.request_id).collect();
    for id in ids {
        let before = history
            .before
            .get(&id)
            .filter(|row| facts.tells.is_everything() || !matches!(row.status, Status::Lost(_)));
        let is_known = before.is_some() && !has_entry.contains(&id);
        broken.add_if(is_known, format_args!("{id}: refused, and known before the run"));
    }
}

/// A decision, wherever it was told.
#[derive(Debug, Clone, Copy)]
enum Told<'a> {
    Won(&'a OrderId),
    Lost(Loss),
}

impl<'a> Told<'a> {
    fn by_answer(answered: &'a Answered) -> Option<Self> {
        match answered {
            Answered::Won(order_id) => Some(Self::Won(order_id)),
            Answered::Lost(loss) => Some(Self::Lost(*loss)),
            Answered::Accepted | Answered::Unknown => None,
        }
    }

    fn by_result(status: &'a Status) -> Option<Self> {
        match status {
            Status::Won(order_id) => Some(Self::Won(order_id)),
            Status::Lost(loss) => Some(Self::Lost(*loss)),
            Status::Queued => None,
        }
    }

    fn agrees_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Won(one), Self::Won(other)) => one.agrees_with(other),
            (Self::Lost(one), Self::Lost(other)) => one.agrees_with(other),
            _ => false,
        }
    }
}

fn differ(one: &Entry, other: &Entry) -> bool {
    match (Told::by_answer(&one.answered), Told::by_answer(&other.answered)) {
        (Some(told), Some(again)) => !told.agrees_with(again),
        (Some(_), None) => is_taken_back(one, other),
        (None, Some(_)) => is_taken_back(other, one),
        (None, None) => false,
    }
}

/// Whether an attempt was answered as queued after its decision had been told.
fn is_taken_back(decided: &Entry, queued: &Entry) -> bool {
    let is_later = decided.answered_us > 0 && decided.answered_us < queued.sent_us;
    queued.answered == Answered::Accepted && is_later
}

/// What was told of an attempt until some moment.
#[derive(Debug, Default, Clone, Copy)]
struct Known<'a> {
    /// When it was first known, at the latest; `None` if it never was.
    since_us: Option<u64>,
    /// The decision that was told first, and when.
    decided: Option<(Told<'a>, u64)>,
}

impl<'a> Known<'a> {
    fn add(&mut self, told: Option<Told<'a>>, answered_us: u64) {
        self.since_us = Some(self.since_us.map_or(answered_us, |us| us.min(answered_us)));
        if let Some(told) = told
            && self.decided.is_none_or(|(_, us)| answered_us < us)
        {
            self.decided = Some((told, answered_us));
        }
    }
}

/// Compares the results of each attempt with each other and with the answers about it.
fn results_keep(facts: &Facts<'_>, broken: &mut Witnesses) {
    let results = &facts.history.results;
    if results.is_empty() {
        return;
    }
    let mut known: IdMap<Known<'_>> = IdMap::default();
    for read in results {
        let known = known.entry(read.request_id).or_default();
        if let Some(status) = &read.status {
            known.add(Told::by_result(status), read.answered_us);
        }
    }
    for made in &facts.accepted {
        if let Some(known) = known.get_mut(&made.request_id)
            && let Some(told) = Told::by_answer(&made.entry.answered)
        {
            known.add(Some(told), made.entry.answered_us);
        }
    }
    let is_open =
        |made: &&Made<'_>| !was_refused_later(facts, made) && !is_refused_as_lost(facts, made);
    for made in facts.made().filter(is_open) {
        let since_us = known.get(&made.request_id).and_then(|known| known.since_us);
        let refusal = made.entry.refusal.as_deref();
        let refusal = refusal.filter(|refusal| refusal.refused != Refused::Other);
        let refused = refusal.map(|refusal| refusal.request);
        let is_later = |(us, refused): &(u64, RequestWindow)| *us > 0 && *us < refused.sent_us;
        if since_us.zip(refused).is_some_and(|both| is_later(&both)) {
            broken.add(format_args!("{}: known, and then refused", made.request_id));
        }
    }
    let mut named = HashSet::new();
    for read in results {
        let Some(known) = known.get(&read.request_id) else { continue };
        if let Some(problem) = change(known, read)
            && named.insert((read.request_id, problem))
        {
            broken.add(format_args!("{}: {problem}", read.request_id));
        }
    }
}

/// What has changed between the first answers about an attempt and this one.
fn change(known: &Known<'_>, read: &ResultRead) -> Option<&'static str> {
    let is_later = |us: u64| us > 0 && us < read.sent_us;
    match &read.status {
        None => known.since_us.is_some_and(is_later).then_some("known, and then not known"),
        Some(Status::Queued) => {
            let decided = known.decided.filter(|(_, us)| is_later(*us));
            decided.map(|_| "decided, and then not decided")
        }
        Some(status) => {
            let (now, (first, _)) = Told::by_result(status).zip(known.decided)?;
            (!now.agrees_with(first)).then_some("decided in two ways")
        }
    }
}
