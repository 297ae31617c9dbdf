//! The figures of the steps that lead to a purchase and follow it.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::recorder::{histogram, micros};
use super::{ErrorKind, Quantiles};

/// What is measured of one step.
#[derive(Debug, Clone)]
struct Figures {
    latency: Histogram<u64>,
    errors: BTreeMap<ErrorKind, u64>,
}

/// The figures of all steps of a worker or of a run, by the step's number.
#[derive(Debug, Clone, Default)]
pub struct Steps(Vec<Figures>);

/// The figures of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSummary {
    /// Its number.
    pub step: usize,
    /// Requests.
    pub total: u64,
    /// Requests that were no success, by kind.
    pub errors: Vec<(ErrorKind, u64)>,
    /// Time from begin to last byte.
    pub latency: Quantiles,
}

impl Steps {
    /// Nothing yet, of so many steps.
    pub fn new(count: usize) -> Self {
        let figures = Figures { latency: histogram(), errors: BTreeMap::new() };
        Self(vec![figures; count])
    }

    /// Counts one request of a step.
    pub fn record(&mut self, step: usize, latency: Duration, error: Option<ErrorKind>) {
        let Some(figures) = self.0.get_mut(step) else { return };
        figures.latency.saturating_record(micros(latency));
        if let Some(kind) = error {
            *figures.errors.entry(kind).or_default() += 1;
        }
    }

    /// Adds the figures of another worker.
    pub fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        for (sum, part) in self.0.iter_mut().zip(&other.0) {
            if let Err(error) = sum.latency.add(&part.latency) {
                unreachable!("all histograms have the same bounds: {error}");
            }
            for (kind, count) in &part.errors {
                *sum.errors.entry(*kind).or_default() += count;
            }
        }
    }

    /// The figures of each step that took place.
    pub fn summaries(&self) -> Vec<StepSummary> {
        let took_place = |(_, figures): &(usize, &Figures)| !figures.latency.is_empty();
        let steps = self.0.iter().enumerate().filter(took_place);
        let summary = |(step, figures): (usize, &Figures)| StepSummary {
            step,
            total: figures.latency.len(),
            errors: figures.errors.iter().map(|(kind, count)| (*kind, *count)).collect(),
            latency: Quantiles::of(&figures.latency),
        };
        steps.map(summary).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_workers_are_added_step_by_step() {
        let ms = Duration::from_millis;
        let mut all = Steps::default();
        for (step, error) in [(0, None), (2, Some(ErrorKind::Http(500))), (2, None)] {
            let mut one = Steps::new(3);
            one.record(step, ms(10), error);
            one.record(9, ms(10), error);
            all.merge(&one);
        }
        let figures: Vec<_> =
            all.summaries().into_iter().map(|it| (it.step, it.total, it.errors)).collect();
        assert_eq!(figures, [(0, 1, vec![]), (2, 2, vec![(ErrorKind::Http(500), 1)])]);
    }
}
