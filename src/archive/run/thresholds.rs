//! A run's figures as thresholds see them, and the thresholds of a recorded run.

use crate::judge::{Expression, Figures, ProcessFigures, Threshold, Verdict};

use super::figures::{ProcessRecord, Run};
use super::steps::StepRecord;

impl Run {
    /// The figures that thresholds can be set on.
    pub fn figures(&self) -> Figures {
        let (requests, audit) = (&self.requests, &self.audit.audit);
        // Without a conclusion, orders that are not known yet may be above the stock.
        let is_counted = matches!(audit.verdict, Verdict::Pass | Verdict::Fail);
        let is_counted = is_counted && audit.orders.is_some() || audit.oversold > 0;
        let is_payment = |step: &&StepRecord| Some(&*step.label) == self.sut.payment_label();
        let payments = self.steps.iter().find(is_payment);
        Figures {
            latency: self.latency_us,
            corrected: self.latency_corrected_us,
            accepted: self.latency_accepted_us.unwrap_or_default(),
            refused: self.latency_refused_us.unwrap_or_default(),
            failed: self.latency_failed_us.unwrap_or_default(),
            connect: self.connect_us,
            first_byte: self.first_byte_us,
            lag: self.generator.lag_us,
            settle: self.settle_us,
            payment: payments.map(|step| step.latency_us).unwrap_or_default(),
            payment_errors: payments.map_or(0, |step| step.errors),
            total: requests.total,
            errors: requests.errors,
            per_second: requests.per_second,
            by_outcome: requests.by_outcome.0.clone(),
            by_error: requests.by_error.0.clone(),
            server: process(&self.server),
            generator: process(&self.generator.process),
            oversold: is_counted.then_some(audit.oversold),
            fifo_violations: audit.fairness.map(|fairness| fairness.fifo_violations),
            gini: audit.fairness.map(|fairness| fairness.gini),
        }
    }

    /// The thresholds by which the run was judged: a run that was recorded without any has the
    /// limit of its errors.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn recorded_thresholds(&self) -> Result<Vec<Threshold>, String> {
        let outcomes = self.sut.outcomes();
        let cannot = |expr: &str, problem: &str| {
            format!("its threshold {expr} cannot be evaluated: {problem}")
        };
        let recorded = self.thresholds.iter().map(|recorded| {
            let expression = Expression::parse(&recorded.expr, &outcomes);
            expression
                .and_then(|expression| Threshold::with(expression, recorded.baseline))
                .map_err(|error| cannot(&recorded.expr, error.problem()))
        });
        if !self.thresholds.is_empty() {
            return recorded.collect();
        }
        let default = Expression::all(&[], self.plan.plan.max_errors, &outcomes);
        let default = default.map_err(|error| cannot("--max-errors", error.problem()))?;
        let thresholds = default.into_iter().map(|expression| Threshold::with(expression, None));
        thresholds.map(|found| found.map_err(|error| error.problem().to_owned())).collect()
    }
}

fn process(process: &ProcessRecord) -> ProcessFigures {
    ProcessFigures {
        cpu_us_per_request: process.cpu_us_per_request,
        rss_bytes_max: process.rss_bytes_max.filter(|bytes| *bytes > 0),
    }
}
