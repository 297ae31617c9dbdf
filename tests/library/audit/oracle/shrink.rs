//! Makes a disagreement small: leaves out what does not matter to it.

use seckill::history::{AttemptNo, Status, View};
use seckill::judge::{Audit, Invariant};

use super::comparison::{Comparison, compare};
use super::run::Run;

/// Leaves out one operation after the other as long as the disagreement stays the same. Returns
/// how many were left out, too.
pub(super) fn shrink(mut run: Run, comparison: &Comparison, audit: &Audit) -> (Run, usize) {
    let mut removed = 0;
    loop {
        let smaller = candidates(&run).into_iter().find(|smaller| {
            let now = compare(smaller);
            now.comparison == *comparison && broken(&now.audit) == broken(audit)
        });
        match smaller {
            Some(smaller) => run = smaller,
            None => return (run, removed),
        }
        removed += 1;
    }
}

fn broken(audit: &Audit) -> Vec<Invariant> {
    audit.violations.iter().map(|violation| violation.invariant).collect()
}

/// The run without one operation, for each of them.
fn candidates(run: &Run) -> Vec<Run> {
    let mut smaller = Vec::new();
    let mut without = |remove: &dyn Fn(&mut Run)| {
        let mut run = run.clone();
        remove(&mut run);
        smaller.push(run);
    };
    (0..run.results.len()).for_each(|at| without(&|run| drop(run.results.remove(at))));
    let is_needed = |view: &View| run.settled() == Some((view.sent_us, view.answered_us));
    let inner = 1..run.views.len().saturating_sub(1);
    let inner = inner.filter(|at| !is_needed(&run.views[*at]));
    inner.for_each(|at| without(&|run| drop(run.views.remove(at))));
    let mut attempts: Vec<AttemptNo> =
        run.requests.iter().map(|request| request.window.attempt).collect();
    attempts.sort_unstable();
    attempts.dedup();
    for attempt in attempts {
        let id = run.ids.request_id(attempt);
        let has_won = |run: &Run| {
            let rows = run.ledger.rows.iter().chain(&run.again.0.rows);
            rows.clone().any(|row| row.request_id == id && matches!(row.status, Status::Won(_)))
        };
        if run.requests.len() > 1 && !has_won(run) {
            without(&|run| {
                // Its number stays used, so that it counts as refused if it has no request.
                run.requests.retain(|request| request.window.attempt != attempt);
                run.results.retain(|read| read.request_id != id);
                run.ledger.rows.retain(|row| row.request_id != id);
                run.again.0.rows.retain(|row| row.request_id != id);
            });
        }
    }
    (0..run.requests.len())
        .filter(|_| run.requests.len() > 1)
        .for_each(|at| without(&|run| drop(run.requests.remove(at))));
    smaller
}
