//! The right runs that are changed: recorded ones, and the same ones as a server with other habits
//! would have served them.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::sync::LazyLock;

use seckill::history::{Answered, History, Status};
use seckill::judge::Gaps;
use seckill::sut::read_ledger;

use super::run::Run;

/// The server's clock may be ahead by as much, in microseconds.
const AHEAD_US: u64 = 90_000_000;

/// A right server's other habit.
pub(super) type Habit = (&'static str, fn(&mut Run));

pub(super) const HABITS: [Habit; 4] = [
    ("as recorded", |_| {}),
    ("decisions in the answers", answer_with_decisions),
    ("a clock that is ahead", |run| shift_clock(run, AHEAD_US)),
    ("results that were not read", |run| {
        run.history.results.clear();
        run.history.asked = Default::default();
    }),
];

/// All right runs at sales that do not hold their orders, with their names: each recorded one with
/// each habit.
pub(super) fn runs() -> &'static [(String, Run)] {
    static RUNS: LazyLock<Vec<(String, Run)>> =
        LazyLock::new(|| all().into_iter().filter(|(_, run)| !holds(run)).collect());
    &RUNS
}

/// The same at sales that hold their orders.
pub(super) fn held_runs() -> &'static [(String, Run)] {
    static RUNS: LazyLock<Vec<(String, Run)>> =
        LazyLock::new(|| all().into_iter().filter(|(_, run)| holds(run)).collect());
    &RUNS
}

fn holds(run: &Run) -> bool {
    run.ledger.sale.hold_us.is_some()
}

fn all() -> Vec<(String, Run)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/library/audit/recorded");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    let recorded = folders.iter().map(|folder| (folder, read(folder)));
    let with_habits = recorded.flat_map(|(folder, run)| {
        HABITS.map(|(habit, adopt)| {
            let mut run = run.clone();
            adopt(&mut run);
            let name = folder.file_name().unwrap().to_str().unwrap();
            (format!("{name} with {habit}"), run)
        })
    });
    with_habits.collect()
}

fn read(folder: &Path) -> Run {
    let open = |name: &str| File::open(folder.join(name)).unwrap();
    let ledger = |name: &str| read_ledger(open(name)).unwrap();
    let mut history = History::read(BufReader::new(open("history.ndjson"))).unwrap();
    history.begin_with(ledger("ledger-before.ndjson"));
    Run { history, ledger: ledger("ledger.ndjson"), gaps: Gaps::default() }
}

/// Answers every other accepted attempt with its decision, as soon as that is made.
fn answer_with_decisions(run: &mut Run) {
    let began_us = run.history.began_us;
    for at in (0..run.history.entries.len()).step_by(2) {
        let entry = &run.history.entries[at];
        let Some(row) = run.row_of(entry).filter(|_| entry.answered != Answered::Unknown) else {
            continue;
        };
        let answered = match &row.status {
            Status::Won(order) => Answered::Won(Box::new(order.clone())),
            Status::Lost(loss) => Answered::Lost(*loss),
            Status::Queued => continue,
        };
        let decided_us = row.decided_us.map_or(0, |us| us.saturating_sub(began_us) + 1);
        let entry = &mut run.history.entries[at];
        entry.answered = answered;
        entry.answered_us = entry.answered_us.max(decided_us);
    }
}

/// Moves the server's clock ahead.
pub(super) fn shift_clock(run: &mut Run, by_us: u64) {
    let before = run.history.before.values_mut();
    for row in run.ledger.rows.iter_mut().chain(before) {
        row.accepted_us += by_us;
        row.decided_us = row.decided_us.map(|us| us + by_us);
        if let Some(order) = &mut row.order {
            order.held_until_us += by_us;
            order.ended_us = order.ended_us.map(|us| us + by_us);
        }
    }
    let later = |us: &mut u64| *us += by_us;
    run.change_sale(
        |sale| {
            sale.hours.opens_us.iter_mut().for_each(later);
            sale.hours.closes_us.iter_mut().for_each(later);
        },
        |view| {
            view.hours.opens_us.iter_mut().for_each(later);
            view.hours.closes_us.iter_mut().for_each(later);
        },
    );
}
