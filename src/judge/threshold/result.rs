//! Evaluates thresholds over the figures of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::escape::printable;

use super::error::ExpressionError;
use super::expression::{Expression, Limit};
use super::figures::Figures;
use super::unit::Unit;

/// An expression whose limit is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    expression: Expression,
    limit: f64,
    /// The figure of the recorded run that the limit is a multiple of.
    baseline: Option<f64>,
}

/// A threshold with the figure that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// The expression as it was given.
    pub expr: String,
    /// The name of its metric.
    pub metric: String,
    /// The unit of the figures.
    pub unit: Unit,
    /// The figure; `None` if it was not measured.
    pub measured: Option<f64>,
    /// The limit.
    pub limit: f64,
    /// The figure of the recorded run that the limit is a multiple of.
    pub baseline: Option<f64>,
    /// Whether the figure was measured and the expression does not hold.
    pub passed: bool,
}

impl Threshold {
    /// A threshold whose limit, if it is relative, is a multiple of a figure of the `baseline`. Any
    /// multiple of 0 is 0.
    ///
    /// # Errors
    /// When the limit is relative and there is no such figure.
    pub fn new(
        expression: Expression,
        baseline: Option<&Figures>,
    ) -> Result<Self, ExpressionError> {
        let Expression { metric, unit, .. } = &expression;
        let Some(baseline) = baseline else { return Self::with(expression, None) };
        let figure = baseline.get(metric, *unit);
        if figure.is_none() && expression.is_relative() {
            let problem = format!("the baseline has not measured {metric}");
            let expected = "a limit that is not relative is expected here, or another --baseline";
            return Err(expression.limit_error(problem, expected));
        }
        Self::with(expression, figure)
    }

    /// A threshold whose limit, if it is relative, is a multiple of this figure.
    ///
    /// # Errors
    /// When the limit is relative and there is no such figure.
    pub fn with(expression: Expression, baseline: Option<f64>) -> Result<Self, ExpressionError> {
        let (limit, baseline) = match (expression.limit, baseline) {
            (Limit::Figure(limit), _) => (limit, None),
            (Limit::Times(factor), Some(baseline)) => (factor * baseline, Some(baseline)),
            (Limit::Times(_), None) => {
                let problem = "a relative limit without a baseline".to_owned();
                let expected = "is relative to a recorded run: add --baseline DIR";
                return Err(expression.limit_error(problem, expected));
            }
        };
        Ok(Self { expression, limit, baseline })
    }

    /// Compares the figure with the limit.
    pub fn evaluate(&self, figures: &Figures) -> ThresholdResult {
        let Expression { text, metric, comparison, unit, .. } = &self.expression;
        let measured = figures.get(metric, *unit);
        ThresholdResult {
            expr: text.clone(),
            metric: metric.to_string(),
            unit: *unit,
            measured,
            limit: self.limit,
            baseline: self.baseline,
            // What was not measured must never be a pass.
            passed: measured.is_some_and(|figure| !comparison.holds(figure, self.limit)),
        }
    }
}

impl fmt::Display for ThresholdResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |figure| self.unit.display(figure);
        let measured = self.measured.map_or_else(|| "not measured".to_owned(), show);
        write!(f, "{}: {measured}", printable(&self.expr))?;
        if let Some(baseline) = self.baseline {
            write!(f, " (limit {}, baseline {})", show(self.limit), show(baseline))?;
        }
        Ok(())
    }
}
