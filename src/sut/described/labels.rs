//! The labels of requests and answers in reports.

use super::client::Shared;
use super::outcome::Rule;

/// The labels of requests and answers in reports.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) steps: Vec<String>,
    pub(super) purchase: String,
    pub(super) twin: String,
    pub(super) again: String,
    pub(super) refusals: Vec<&'static str>,
    /// Whether a result can be asked for without the steps of its attempt.
    pub(super) results_need_no_user: bool,
}

impl Labels {
    pub(super) fn of(shared: &Shared) -> Self {
        let steps: Vec<_> = shared.steps.iter().map(|step| step.name.clone()).collect();
        let purchase = steps[shared.purchase].clone();
        let mut refusals: Vec<_> = shared.outcomes.iter().filter_map(Rule::refusal).collect();
        refusals.sort_unstable();
        refusals.dedup();
        let (twin, again) = (format!("{purchase} (double click)"), format!("{purchase} (retry)"));
        Self { steps, purchase, twin, again, refusals, results_need_no_user: false }
    }
}
