//! A small run as its clients observed it: every request with its answer, and all that was read.

use seckill::history::{
    Answered, AttemptNo, Entry, FinalRefusal, History, Ids, Ledger, Refused, RequestWindow,
    ResultRead, View,
};
use seckill::judge::{Audit, Verdict, reconcile};

use super::super::ITEM;

#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) ids: Ids,
    /// By the generator's clock; 0 if the history does not say it.
    pub(super) began_us: u64,
    pub(super) before: Ledger,
    /// Every `POST`, in the order in which they were sent.
    pub(super) requests: Vec<Request>,
    pub(super) results: Vec<ResultRead>,
    /// The first one was read before the load, the last one after everything else.
    pub(super) views: Vec<View>,
    pub(super) is_settled: bool,
    /// The ledger, which was read before the results after the load.
    pub(super) ledger: Ledger,
    /// What is read again before an accusation: the ledger, and then the state of the sale, if it
    /// can be read.
    pub(super) again: (Ledger, Option<View>),
}

#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) window: RequestWindow,
    pub(super) answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Answered(Answered),
    Refused(Refused),
}

/// What is judged: a run, as the load generator hands it over.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) history: History,
    pub(super) ledger: Ledger,
    /// When a state was read after the load that says that nothing is queued.
    pub(super) settled: Option<(u64, u64)>,
    /// The ledger was not read before this moment.
    pub(super) ledger_from_us: u64,
}

impl Run {
    /// Judges as `bench` does: before an accusation the ledger is read again, since a request
    /// without an answer may have its effect late.
    pub(super) fn judge(&self) -> (Evidence, Audit) {
        let mut history = self.history();
        let settled = self.settled();
        // The ledger is requested after the load, and after the state that says that nothing waits.
        let from_us = self.ended_us().max(settled.map_or(0, |window| window.1)) + 1;
        let audit = reconcile(&history, &self.ledger, settled.is_some());
        if audit.verdict != Verdict::Fail {
            let (ledger, ledger_from_us) = (self.ledger.clone(), from_us);
            return (Evidence { history, ledger, settled, ledger_from_us }, audit);
        }
        let (ledger, view) = self.again.clone();
        // The first one was read before the results, and they before the last state of the sale.
        let by_us = history.views.iter().next_back().map_or(0, |view| view.answered_us);
        history.add_changes(&self.ledger, (from_us, by_us), &ledger);
        let read_us = history.results.iter().map(|read| read.answered_us).max();
        view.into_iter().for_each(|view| history.views.keep(view));
        let audit = reconcile(&history, &ledger, settled.is_some());
        // This time it is read after the results, whatever the clock shows.
        let ledger_from_us = from_us.max(read_us.unwrap_or(0) + 1);
        (Evidence { history, ledger, settled, ledger_from_us }, audit)
    }

    /// When the first state was read after the load that says that nothing is queued.
    pub(super) fn settled(&self) -> Option<(u64, u64)> {
        let ended_us = self.ended_us();
        let mut after = self.views.iter().filter(|view| view.sent_us > ended_us);
        let settled = after.find(|view| view.sale.queued == 0).filter(|_| self.is_settled);
        settled.map(|view| (view.sent_us, view.answered_us))
    }

    /// Gives all times, which are counted in turns of this length, in microseconds.
    pub(super) fn in_turns_of(mut self, turn_us: u64) -> Self {
        let requests = self.requests.iter_mut().map(|request| &mut request.window);
        let requests = requests.map(|window| (&mut window.sent_us, &mut window.answered_us));
        let results =
            self.results.iter_mut().map(|read| (&mut read.sent_us, &mut read.answered_us));
        let views = self.views.iter_mut().chain(&mut self.again.1);
        let views = views.map(|view| (&mut view.sent_us, &mut view.answered_us));
        for (sent_us, answered_us) in requests.chain(results).chain(views) {
            *sent_us *= turn_us;
            *answered_us *= turn_us;
        }
        self.sort_views();
        self
    }

    /// The times of what was sent and answered once during the load: requests of attempts that have
    /// one, results, and states of the sale.
    pub(super) fn windows_of_load(&mut self) -> Vec<(&mut u64, &mut u64)> {
        let ended_us = self.ended_us();
        let attempts: Vec<AttemptNo> =
            self.requests.iter().map(|request| request.window.attempt).collect();
        let is_single =
            |of: &AttemptNo| attempts.iter().filter(|attempt| *attempt == of).count() == 1;
        let requests = self.requests.iter_mut().map(|request| &mut request.window);
        let requests = requests
            .filter(|window| is_single(&window.attempt))
            .map(|window| (&mut window.sent_us, &mut window.answered_us));
        let results =
            self.results.iter_mut().map(|read| (&mut read.sent_us, &mut read.answered_us));
        let views =
            self.views.iter_mut().skip(1).map(|view| (&mut view.sent_us, &mut view.answered_us));
        let all = requests.chain(results).chain(views);
        all.filter(|(_, answered_us)| **answered_us <= ended_us).collect()
    }

    /// Whether nobody asks for the result of an attempt before it is sent, as no client does.
    pub(super) fn asks_for_what_was_sent(&self) -> bool {
        let sent_us = |read: &ResultRead| {
            let of = self.requests.iter().map(|request| request.window);
            let of = of.filter(|window| self.ids.request_id(window.attempt) == read.request_id);
            of.map(|window| window.sent_us).min()
        };
        self.results.iter().all(|read| sent_us(read).is_none_or(|us| us <= read.sent_us))
    }

    /// Puts the states of the sale in the order in which they were read.
    pub(super) fn sort_views(&mut self) {
        self.views.sort_by_key(|view| (view.answered_us, view.sent_us));
    }

    /// When the first request of the load was sent.
    pub(super) fn first_us(&self) -> u64 {
        self.requests.iter().map(|request| request.window.sent_us).min().unwrap_or(0)
    }

    /// When the last request of the load was answered.
    pub(super) fn ended_us(&self) -> u64 {
        self.requests.iter().map(|request| request.window.answered_us).max().unwrap_or(0)
    }

    fn history(&self) -> History {
        let attempts = || self.requests.iter().map(|request| request.window.attempt);
        let threads = attempts().map(|attempt| attempt.thread as usize + 1).max().unwrap_or(0);
        let mut history = History::new(self.ids, ITEM.parse().unwrap(), threads, self.began_us);
        for AttemptNo { thread, index } in attempts() {
            let sent = &mut history.sent[thread as usize];
            *sent = (*sent).max(index + 1);
        }
        for Request { window, answer } in &self.requests {
            if let Answer::Refused(refused) = answer {
                history.refusals.add(*refused, *window);
            }
        }
        let mut all: Vec<AttemptNo> = attempts().collect();
        all.sort_unstable();
        all.dedup();
        for attempt in all {
            let of = |request: &&Request| request.window.attempt == attempt;
            add_outcome(&mut history, self.requests.iter().filter(of));
        }
        let ended_us = self.requests.iter().map(|request| request.window.answered_us).max();
        history.ended_us = ended_us.unwrap_or(0);
        history.begin_with(self.before.clone());
        history.results = self.results.clone();
        let (settled, last) = (self.settled(), self.views.len() - 1);
        for (number, view) in self.views.iter().enumerate() {
            // `bench` keeps the state that says that nothing is queued, and the last one.
            let is_kept = number == last || settled == Some((view.sent_us, view.answered_us));
            let view = view.clone();
            if is_kept { history.views.keep(view) } else { history.views.add(view) }
        }
        history
    }
}

/// Adds the strongest answer to an attempt's requests, as the load generator does.
fn add_outcome<'a>(history: &mut History, requests: impl Iterator<Item = &'a Request>) {
    let mut accepted_us = None;
    let mut entry: Option<Entry> = None;
    let mut refusal: Option<FinalRefusal> = None;
    for Request { window, answer } in requests {
        let answered = match answer {
            Answer::Answered(answered) => answered.clone(),
            Answer::Refused(refused) => {
                let was_accepted = accepted_us.is_some_and(|us| us <= window.sent_us);
                let is_stronger = refusal.is_none_or(|kept| was_accepted && !kept.was_accepted);
                if refused.is_final() && is_stronger {
                    let request = *window;
                    refusal = Some(FinalRefusal { refused: *refused, request, was_accepted });
                }
                continue;
            }
        };
        if answered != Answered::Unknown {
            accepted_us.get_or_insert(window.answered_us);
        }
        let first_us = entry.as_ref().map_or(window.sent_us, |entry| entry.sent_us);
        let new = Entry {
            attempt: window.attempt,
            answered,
            sent_us: first_us.min(window.sent_us),
            answered_us: window.answered_us,
            refusal: None,
        };
        entry = Some(match entry {
            Some(old) if old.answered.is_decision() && new.answered.is_decision() => {
                if old.answered == new.answered {
                    old
                } else {
                    history.entries.push(old);
                    new
                }
            }
            Some(old) if old.answered.is_decision() || new.answered == Answered::Unknown => old,
            Some(old) if old.answered == new.answered => old,
            _ => new,
        });
    }
    if let Some(entry) = entry {
        history.entries.push(Entry { refusal: refusal.map(Box::new), ..entry });
    }
}
