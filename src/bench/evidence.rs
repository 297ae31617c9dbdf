//! Gathers the evidence after the load: waits until everything is decided, and reads the ledger,
//! the results and the state of the sale.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout_at};

use crate::archive::{LedgerFile, Outputs};
use crate::history::{
    Answered, Asked, AttemptNo, History, Ids, Ledger, Refused, RequestWindow, ResultRead, Row,
    Standstill, Status,
};
use crate::ids::RequestId;
use crate::load::{AfterLoad, ResultAnswer, SentAgain, read_results, send_again};
use crate::random::{self, Draw};
use crate::sut::{Control, ControlError, Meaning};
use crate::units::Span;

use super::config::Config;
use super::event::{Notify, waiting};
use super::prepare::Site;

/// Pause between two reads of the state of the sale.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);

/// How often the server is asked whether it is ready, while attempts are queued.
const READY_INTERVAL: Duration = Duration::from_millis(500);

/// Maximum number of results that are read after a run: of winners first.
const RESULTS_MAX: usize = 2_000;

/// Maximum number of those that are of attempts with an unknown outcome, and of refused ones.
const OTHERS_MAX: usize = 200;

/// Maximum number of winners whose results are read a second time.
const AGAIN_MAX: usize = 100;

/// Maximum number of winners, and of other accepted attempts, that are sent again.
const SENT_AGAIN_MAX: usize = 16;

/// How often the ledger is read if it cannot be read at once, and the pause between two tries.
const LEDGER_TRIES: u32 = 5;
const LEDGER_PAUSE: Duration = Duration::from_secs(1);

/// Waits until nothing is queued, and keeps each state of the sale.
///
/// # Errors
/// The reason why that is not certain when the time is up.
pub(super) async fn settle(
    control: &Control,
    history: &mut History,
    (deadline, limit): (Instant, Duration),
) -> Result<(), String> {
    let mut problem = "the server did not answer".to_owned();
    let mut still = Still::default();
    loop {
        match timeout_at(deadline.into(), control.sale_again(&mut history.views)).await {
            Ok(Ok(view)) => {
                let (queued, orders) = (view.sale.queued, view.sale.orders);
                if queued == 0 {
                    history.views.keep(view);
                    return Ok(());
                }
                history.views.add(view);
                problem = format!("{queued} attempts were still queued");
                still.look(control, (queued, orders)).await;
            }
            Ok(Err(_)) => {
                problem = "the server did not answer".to_owned();
                still = Still::default();
            }
            // The deadline passed during a call: the state that was read last stands.
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            break;
        }
        sleep(SETTLE_INTERVAL).await;
    }
    history.standstill = still.end(control, limit).await;
    Err(format!("{problem} {} after the run", Span(limit)))
}

/// For how long nothing has changed although the server said that all of its parts work.
#[derive(Default)]
struct Still {
    /// What was queued and sold, and since when.
    state: Option<((u64, u64), Instant)>,
    /// When the server was last asked whether it is ready.
    asked: Option<Instant>,
}

impl Still {
    /// Compares this state with the one before.
    async fn look(&mut self, control: &Control, state: (u64, u64)) {
        let now = Instant::now();
        if self.state.is_none_or(|(before, _)| before != state) {
            self.state = Some((state, now));
        }
        if self.asked.is_none_or(|asked| now - asked >= READY_INTERVAL) {
            self.asked = Some(now);
            if !control.is_ready().await {
                // A part of it is missing: then nothing is decided, which is no standstill.
                self.state = Some((state, Instant::now()));
            }
        }
    }

    async fn end(self, control: &Control, limit: Duration) -> Option<Standstill> {
        let ((queued, _), since) = self.state?;
        let (unchanged_us, waited_us) = (since.elapsed().as_micros(), limit.as_micros());
        let (unchanged_us, waited_us) = (unchanged_us as u64, waited_us as u64);
        Some(Standstill { queued, unchanged_us, waited_us, is_ready: control.is_ready().await })
    }
}

/// Reads the ledger of the sale that was found, and copies it to its file. Tries again until the
/// deadline: one that is arriving is read to its end.
///
/// # Errors
/// The reason why it cannot be read.
pub(super) async fn ledger(
    site: &Site,
    history: &History,
    outputs: &mut Outputs,
    which: LedgerFile,
    deadline: Instant,
) -> Result<Ledger, ControlError> {
    // A server without epochs knows no such parameter.
    let epoch = Some(site.view_before.sale.epoch).filter(|epoch| *epoch > 0);
    let mut tries = 1;
    loop {
        outputs.ledger_begins(which);
        match site.control.ledger(epoch, history, |piece| outputs.ledger(which, piece)).await {
            Ok(ledger) => {
                outputs.ledger_ends(which);
                return Ok(ledger);
            }
            Err(error) if tries >= LEDGER_TRIES || error.is_lasting() => return Err(error),
            Err(error) if Instant::now() + LEDGER_PAUSE >= deadline => return Err(error),
            Err(_) => sleep(LEDGER_PAUSE).await,
        }
        tries += 1;
    }
}

/// Reads results as buyers would, in addition to those that buyers read during the run.
pub(super) async fn results(
    config: &Config,
    site: &Site,
    history: &mut History,
    ledger: Option<&Ledger>,
    deadline: Instant,
    notify: Notify<'_>,
) {
    if !config.sut.tells_results() {
        return;
    }
    let ids = to_ask(history, ledger, config.plan.seed).into_iter();
    let ids: Vec<AttemptNo> = ids.filter_map(|id| history.ids.attempt(&id)).collect();
    let again: Vec<AttemptNo> = ids.iter().copied().take(AGAIN_MAX).collect();
    let wanted = ids.len() as u64;
    let done = Arc::new(AtomicU64::new(0));
    let what = || format!("{} of {wanted} results are read", done.load(Ordering::Relaxed));
    let first = read(config, site, history.ids, ids, (deadline, &done));
    let read = waiting(notify, what, first).await;
    history.asked = Asked { wanted, answered: read.len() as u64 };
    keep_results(history, read);
    // A result that changes is a lie at one of the two times.
    let again = self::read(config, site, history.ids, again, (deadline, &done)).await;
    keep_results(history, again);
}

fn keep_results(history: &mut History, read: Vec<ResultAnswer>) {
    for answer in read {
        match answer {
            Ok(read) => history.results.push(read),
            Err((request_id, sent_us, answered_us)) => {
                if let Some(attempt) = history.ids.attempt(&request_id) {
                    history.contradictory.add(RequestWindow { attempt, sent_us, answered_us });
                }
            }
        }
    }
}

async fn read(
    config: &Config,
    site: &Site,
    ids: Ids,
    attempts: Vec<AttemptNo>,
    (deadline, done): (Instant, &Arc<AtomicU64>),
) -> Vec<ResultAnswer> {
    let after = after_load(config, site, deadline, done);
    let item = site.item.clone();
    let read = tokio::task::spawn_blocking(move || read_results(after, &item, ids, attempts)).await;
    read.ok().and_then(Result::ok).unwrap_or_default()
}

/// Sends some attempts again that the ledger has: a known id is never refused for good, and keeps
/// its decision.
pub(super) async fn known_again(
    config: &Config,
    site: &Site,
    history: &mut History,
    ledger: &Ledger,
    deadline: Instant,
) {
    if !config.sut.is_idempotent() {
        return;
    }
    let after = after_load(config, site, deadline, &Arc::default());
    let (item, ids) = (site.item.clone(), history.ids);
    let attempts = known(history, ledger, config.plan.seed);
    let decided = told_decisions(history, &attempts);
    let wanted = attempts.len() as u64;
    let sent = tokio::task::spawn_blocking(move || send_again(after, &item, ids, attempts)).await;
    let sent = sent.ok().and_then(Result::ok).unwrap_or_default();
    history.sent_again = Asked { wanted, answered: sent.len() as u64 };
    for SentAgain { window, told } in sent {
        let status = match told {
            Ok(Meaning::Answered(Answered::Won(order_id))) => Status::Won(*order_id),
            Ok(Meaning::Answered(Answered::Lost(loss))) => Status::Lost(loss),
            // Its buyer was answered with a decision before, which does not change.
            Ok(Meaning::Answered(Answered::Accepted)) if decided.contains(&window.attempt) => {
                Status::Queued
            }
            // It is known, which is all that 202 says.
            Ok(Meaning::Answered(Answered::Accepted | Answered::Unknown)) => continue,
            // It is put off for now, which says nothing of what is known.
            Ok(Meaning::Refused(refused)) if refused.is_temporary() => continue,
            Ok(Meaning::Refused(refused)) => {
                history.add_refusal_of_known(refused, window);
                continue;
            }
            Err(_) => {
                history.contradictory.add(window);
                continue;
            }
        };
        history.results.push(ResultRead {
            request_id: ids.request_id(window.attempt),
            status: Some(status),
            order: None,
            held_until_us: None,
            sent_us: window.sent_us,
            answered_us: window.answered_us,
        });
    }
}

/// Those of these attempts whose decisions were told, in an answer or as a result.
fn told_decisions(history: &History, attempts: &[AttemptNo]) -> HashSet<AttemptNo> {
    let again: HashSet<AttemptNo> = attempts.iter().copied().collect();
    let told = history.entries.iter().filter(|entry| entry.answered.is_decision());
    let is_decided = |read: &&ResultRead| read.status.as_ref().is_some_and(Status::is_decision);
    let read = history.results.iter().filter(is_decided);
    let read = read.filter_map(|read| history.ids.attempt(&read.request_id));
    told.map(|entry| entry.attempt).chain(read).filter(|attempt| again.contains(attempt)).collect()
}

/// Some attempts of this run that the ledger has: winners, and others that were accepted.
fn known(history: &History, ledger: &Ledger, seed: u64) -> Vec<AttemptNo> {
    let attempt = |row: &Row| {
        let attempt = history.ids.attempt(&row.request_id)?;
        history.was_sent(attempt).then_some(attempt)
    };
    let (won, lost): (Vec<&Row>, Vec<&Row>) =
        ledger.rows.iter().partition(|row| matches!(row.status, Status::Won(_)));
    let some = |rows: &[&Row]| -> Vec<AttemptNo> {
        let attempts: Vec<_> = rows.iter().filter_map(|row| attempt(row)).collect();
        spread(&attempts, SENT_AGAIN_MAX, seed)
    };
    [some(&won), some(&lost)].concat()
}

fn after_load(config: &Config, site: &Site, deadline: Instant, done: &Arc<AtomicU64>) -> AfterLoad {
    let (plan, target) = (config.plan.clone(), site.target.clone());
    let (sut, beginning) = (config.sut.clone(), site.beginning);
    AfterLoad { plan, sut, target, beginning, deadline, done: Arc::clone(done) }
}

/// The attempts whose results are read: winners first, then those with an unknown outcome, some
/// refused ones, and accepted ones.
fn to_ask(history: &History, ledger: Option<&Ledger>, seed: u64) -> Vec<RequestId> {
    let rows = ledger.map_or(&[][..], |ledger| &ledger.rows);
    let is_ours = |id: &RequestId| history.ids.attempt(id).is_some();
    let winners = rows.iter().filter(|row| matches!(row.status, Status::Won(_)));
    let winners: Vec<_> = winners.map(|row| row.request_id).filter(is_ours).collect();
    let of = |wanted: fn(&Answered) -> bool| -> Vec<RequestId> {
        let entries = history.entries.iter().filter(|entry| wanted(&entry.answered));
        entries.map(|entry| history.ids.request_id(entry.attempt)).collect()
    };
    let told = of(|answered| matches!(answered, Answered::Won(_)));
    let unknown = of(|answered| *answered == Answered::Unknown);
    let accepted = of(|answered| matches!(answered, Answered::Accepted | Answered::Lost(_)));
    let kept = history.refusals.iter().filter(|(refused, _)| *refused != Refused::IdReused);
    let refused: Vec<_> = kept
        .flat_map(|(_, tally)| tally.kept())
        .map(|window| history.ids.request_id(window.attempt))
        .collect();
    let mut seen = HashSet::new();
    let parts = [
        spread(&winners, RESULTS_MAX / 2, seed),
        spread(&told, RESULTS_MAX / 2, seed),
        spread(&unknown, OTHERS_MAX, seed),
        spread(&refused, OTHERS_MAX, seed),
        spread(&accepted, RESULTS_MAX, seed),
    ];
    let ids = parts.into_iter().flatten().filter(|id| seen.insert(*id));
    ids.take(RESULTS_MAX).collect()
}

/// At most `max` of them, spread evenly: one of each part of the list, at random, since a server
/// could be honest about those that it expects.
fn spread<T: Copy>(all: &[T], max: usize, seed: u64) -> Vec<T> {
    if all.len() <= max {
        return all.to_vec();
    }
    let chosen = (0..max).map(|number| {
        let (from, to) = (number * all.len() / max, (number + 1) * all.len() / max);
        let draw = random::bits(seed, Draw::Asked, number as u64);
        all[from + (draw % (to - from) as u64) as usize]
    });
    chosen.collect()
}
